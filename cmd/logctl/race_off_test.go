//go:build !race

package main

// raceDetector says that processes are slow.
const raceDetector = false
