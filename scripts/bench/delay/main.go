// Delay stands between a client and a server and lets each byte arrive later, as over a
// long link that is wide enough.
//
//	delay NETWORK:ADDRESS NETWORK:ADDRESS DURATION
//
// It listens at the first address and connects to the second; the duration is that of one
// way. Brokers tell clients where they listen, and clients go there: so have each of the
// two in a network of its own, and a socket in a directory between them:
//
//	unshare -n sh -c 'ip link set lo up; delay unix:/tmp/link tcp:127.0.0.1:9092 0s & logctl broker'
//	unshare -n sh -c 'ip link set lo up; delay tcp:127.0.0.1:9092 unix:/tmp/link 100ms & logctl consume …'
package main

import (
	"log"
	"net"
	"os"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: delay NETWORK:ADDRESS NETWORK:ADDRESS DURATION")
	}
	way, err := time.ParseDuration(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	network, addr, _ := strings.Cut(os.Args[1], ":")
	l, err := net.Listen(network, addr)
	if err != nil {
		log.Fatal(err)
	}
	for {
		near, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go connect(near, way)
	}
}

// connect passes what comes over one connection on, both ways.
func connect(near net.Conn, way time.Duration) {
	network, addr, _ := strings.Cut(os.Args[2], ":")
	far, err := net.Dial(network, addr)
	if err != nil {
		log.Print(err)
		near.Close() //nolint:errcheck // it is over
		return
	}
	go pass(near, far, way)
	pass(far, near, way)
}

// A parcel is what was read at once, and when it is there.
type parcel struct {
	bytes []byte
	due   time.Time
}

// underWay is how many parcels may be: 256 MiB.
const underWay = 4096

// pass writes what comes from one side to the other, until either ends.
func pass(from, to net.Conn, way time.Duration) {
	parcels := make(chan parcel, underWay)
	go func() {
		defer to.Close() //nolint:errcheck // it is over
		for p := range parcels {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.bytes); err != nil {
				from.Close() //nolint:errcheck // ends the reading
			}
		}
	}()
	defer close(parcels)
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			parcels <- parcel{append([]byte{}, buf[:n]...), time.Now().Add(way)}
		}
		if err != nil {
			return
		}
	}
}
