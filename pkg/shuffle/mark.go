package shuffle

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/logctl/logctl/pkg/record"
)

// AppendMark appends a mark in the form of its header: TOPIC/PARTITION and a time in ns
// since 1970, or "idle", or "end" and the offset.
func AppendMark(dst []byte, m record.Mark) []byte {
	dst = append(append(dst, m.Source...), '/')
	dst = append(strconv.AppendInt(dst, int64(m.Partition), 10), ' ')
	switch m.Time {
	case record.Idle:
		return append(dst, "idle"...)
	case record.Ended:
		return strconv.AppendInt(append(dst, "end "...), m.Next, 10)
	}
	return strconv.AppendInt(dst, m.Time, 10)
}

// ParseMark reads a mark that AppendMark has written.
func ParseMark(s string) (record.Mark, error) {
	place, time, _ := strings.Cut(s, " ")
	time, next, ends := strings.Cut(time, " ")
	slash := strings.LastIndexByte(place, '/')
	n, err := strconv.ParseInt(place[slash+1:], 10, 32)
	if slash < 1 || err != nil {
		return record.Mark{}, fmt.Errorf("mark %q: want TOPIC/PARTITION TIME", s)
	}
	m := record.Mark{Source: place[:slash], Partition: int32(n)}
	switch {
	case ends && time == "end":
		m.Time = record.Ended
		m.Next, err = strconv.ParseInt(next, 10, 64)
	case time == "idle":
		m.Time = record.Idle
	default:
		m.Time, err = strconv.ParseInt(time, 10, 64)
	}
	if err != nil {
		return record.Mark{}, fmt.Errorf("mark %q: want a time in ns, idle, or end and an offset", s)
	}
	return m, nil
}
