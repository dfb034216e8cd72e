package codec

import (
	"bytes"
	"strings"
)

// A zeekFramer has a record a line. Lines that say how the columns are to be read
// come again where logs have been joined, and may say something else from there on.
type zeekFramer struct{ lineFramer }

func (zeekFramer) Renew(header string, data []byte) (renewed string, n int) {
	if key := zeekKey(data); key != "" {
		header = changeZeekHeader(header, key, firstLine(data))
	}
	return header, nextHeader(data, func(line []byte) bool { return zeekKey(line) != "" })
}

// The lines of a header of Zeek that say how to read the columns begin with these.
const (
	zeekSeparatorKey = "#separator"
	zeekFieldsKey    = "#fields"
	zeekTypesKey     = "#types"
)

var zeekKeys = []string{zeekSeparatorKey, "#set_separator", "#empty_field", "#unset_field", zeekFieldsKey, zeekTypesKey}

// zeekKey returns which of zeekKeys a line begins with, or "".
func zeekKey(line []byte) string {
	for _, key := range zeekKeys {
		if bytes.HasPrefix(line, []byte(key)) {
			return key
		}
	}
	return ""
}

// changeZeekHeader returns the header after another line of a key. A separator
// begins a header anew, for the other lines are written with it; types are those of
// the fields above them.
func changeZeekHeader(header, key, line string) string {
	if key == zeekSeparatorKey {
		return line
	}
	var kept []string
	for old := range strings.SplitSeq(header, "\n") {
		k := zeekKey([]byte(old))
		if k != "" && k != key && (key != zeekFieldsKey || k != zeekTypesKey) {
			kept = append(kept, strings.TrimSuffix(old, "\r"))
		}
	}
	return strings.Join(append(kept, line), "\n")
}
