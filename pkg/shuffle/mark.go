package shuffle

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/logctl/logctl/pkg/record"
)

// AppendMark appends a mark as its header says it: TOPIC/PARTITION and a time in ns
// since 1970, or "idle" or "end".
func AppendMark(dst []byte, m record.Mark) []byte {
	dst = append(append(dst, m.Source...), '/')
	dst = append(strconv.AppendInt(dst, int64(m.Partition), 10), ' ')
	switch m.Time {
	case record.Idle:
		return append(dst, "idle"...)
	case record.Ended:
		return append(dst, "end"...)
	}
	return strconv.AppendInt(dst, m.Time, 10)
}

// ParseMark reads what AppendMark has written.
func ParseMark(s string) (record.Mark, error) {
	place, time, _ := strings.Cut(s, " ")
	slash := strings.LastIndexByte(place, '/')
	n, err := strconv.ParseInt(place[slash+1:], 10, 32)
	if slash < 1 || err != nil {
		return record.Mark{}, fmt.Errorf("mark %q: want TOPIC/PARTITION TIME", s)
	}
	m := record.Mark{Source: place[:slash], Partition: int32(n)}
	switch time {
	case "idle":
		m.Time = record.Idle
	case "end":
		m.Time = record.Ended
	default:
		if m.Time, err = strconv.ParseInt(time, 10, 64); err != nil {
			return record.Mark{}, fmt.Errorf("mark %q: want a time in ns, idle or end", s)
		}
	}
	return m, nil
}
