package codec

import "bytes"

// hashHeaderEnd returns where the lines that begin with # end.
func hashHeaderEnd(sample []byte) int {
	end := 0
	for next := 0; next < len(sample) && sample[next] == '#'; next = end + 1 {
		end = lineEnd(sample, next)
	}
	return end
}

// nextHeader returns where in data, behind its first line, a line begins a header,
// or its length.
func nextHeader(data []byte, begins func(line []byte) bool) (n int) {
	for {
		next := bytes.Index(data[n:], []byte("\n#"))
		if next < 0 {
			return len(data)
		}
		if n += next + 1; begins(data[n:]) {
			return n
		}
	}
}

// firstLine returns the first line of data, without its end.
func firstLine(data []byte) string {
	return string(bytes.TrimSuffix(data[:lineEnd(data, 0)], []byte{'\r'}))
}
