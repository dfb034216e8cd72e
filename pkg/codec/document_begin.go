package codec

import "bytes"

// documentIn reports whether a sample begins a JSON document whose records lines do not
// tell: an array of objects, objects of which one goes over lines or is not alone on its
// line, or that commas part, or a holder of a list. Objects and arrays that are a line
// each are none. sure is false where more of the stream might change the answer.
func documentIn(sample []byte) (ok, sure bool) {
	sample = sample[space(sample, 0):]
	switch {
	case len(sample) == 0:
		return false, true
	case sample[0] == '[':
		return arrayIn(sample)
	case sample[0] == '{':
		return objectsIn(sample)
	default:
		return false, true
	}
}

// arrayIn is documentIn for what begins with a bracket.
func arrayIn(sample []byte) (ok, sure bool) {
	first := space(sample, 1)
	switch {
	case first == len(sample):
		return false, false
	case sample[first] != '{' && sample[first] != ']':
		return false, true
	}
	check := checker{oneLine: true}
	_, end := check.value(sample, 0)
	line := lineEnd(sample, 0)
	switch {
	case end < 0 && check.unended(sample):
		return true, true
	case end < 0: // a flaw: of a record or, in the first of several lines, one that makes it plain text
		return line < check.flaw.at || line >= len(sample)-1, true
	case space(sample, end) == len(sample): // all there is
		return true, line < end
	default:
		next := pastParts(sample, end)
		return line < end && (next == len(sample) || sample[next] == '{'), true
	}
}

// objectsIn is documentIn for what begins with a brace.
func objectsIn(sample []byte) (ok, sure bool) {
	check := checker{oneLine: true}
	held := holderOf(sample) != ""
	i, whole := 0, 0
	for ; i < len(sample); whole++ {
		_, end := check.value(sample, i)
		if end < 0 {
			ok = ok || check.unended(sample) && (overLines(sample[i:]) || held && whole == 0)
			break
		}
		next := space(sample, end)
		sameLine := bytes.IndexByte(sample[end:next], '\n') < 0
		ok = ok || overLines(sample[i:end]) ||
			next < len(sample) && (sample[next] == ',' || sample[next] == '{' && sameLine)
		if i = pastParts(sample, next); i < len(sample) && sample[i] != '{' {
			return false, true
		}
	}
	if held && whole == 1 && i == len(sample) {
		return true, false // it is alone
	}
	return ok, whole > 0 || !check.unended(sample)
}

// overLines reports whether an object goes over lines. Where one of these begins as an
// object of its own, the line before was cut off.
func overLines(object []byte) bool {
	return bytes.IndexByte(object, '\n') >= 0 && !bytes.Contains(object, []byte("\n{\""))
}
