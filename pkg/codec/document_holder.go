package codec

import "slices"

// A holder is an object that is not a record itself but holds a list of them.
type holder struct {
	list   string
	beside []string // what else may stand in it, which says nothing of single records
	needs  bool     // one of beside stands before the list, else the object may be a record
}

// holders are the ones that are known.
var holders = []*holder{
	// AWS CloudTrail, notifications of S3; Azure's diagnostic logs; Kubernetes
	{list: "Records"},
	{list: "records"},
	{list: "items", beside: []string{"apiVersion", "kind", "metadata"}, needs: true},
	// Azure and Microsoft Graph; AWS CloudWatch, what looks events of CloudTrail up; Google Cloud
	{list: "value", beside: []string{"@odata.context", "@odata.count", "@odata.nextLink", "nextLink"}},
	{list: "events", beside: []string{"nextBackwardToken", "nextForwardToken", "nextToken", "searchedLogStreams"}},
	{list: "Events", beside: []string{"NextToken"}},
	{list: "entries", beside: []string{"nextPageToken"}},
}

// holderOf returns the name of the list of the holder that data begins with, or "".
func holderOf(data []byte) string {
	check := checker{oneLine: true}
	for _, w := range holders {
		if w.wraps(&check, data, space(data, 0)) {
			return w.list
		}
	}
	return ""
}

// holderNamed returns the holder of a list.
func holderNamed(list string) *holder {
	for _, w := range holders {
		if w.list == list {
			return w
		}
	}
	return nil
}

// wraps reports whether an object at data[i], which may be cut off, is such a holder,
// with a list of objects.
func (w *holder) wraps(check *checker, data []byte, i int) bool {
	next, whole := w.head(check, data, i)
	if next == i || !whole {
		return false
	}
	element := space(data, next)
	if element < len(data) && data[element] != '{' && data[element] != ']' {
		return false
	}
	if _, next = check.value(data, next-1); next < 0 {
		return true
	}
	for next = space(data, next); next < len(data) && data[next] == ','; next = space(data, next) {
		known, after, whole := w.member(check, data, space(data, next+1))
		if !whole {
			return true
		}
		if !known || after < 0 {
			return false
		}
		next = after
	}
	return true
}

// skip returns the index behind what stands at data[i] and belongs to the holder: its
// beginning up to the list, a member beside it, its closing brace. It returns i where
// nothing of these does; whole is false where data ends within it.
func (w *holder) skip(check *checker, data []byte, i int) (next int, whole bool) {
	switch data[i] {
	case '{':
		return w.head(check, data, i)
	case '}':
		return i + 1, true
	case '"':
		known, next, whole := w.member(check, data, i)
		if known && next >= 0 {
			return next, true
		}
		return i, whole
	default:
		return i, true
	}
}

// head returns the index behind the bracket that opens the list of the holder that
// begins at data[i]; i where none does.
func (w *holder) head(check *checker, data []byte, i int) (next int, whole bool) {
	if i == len(data) || data[i] != '{' {
		return i, true
	}
	for at, beside := space(data, i+1), !w.needs; ; {
		end, value, _ := check.key(data, at)
		if value < 0 || value == len(data) {
			return i, value < 0 && !check.unended(data)
		}
		if string(data[at+1:end]) == w.list {
			if data[value] != '[' || !beside {
				return i, true
			}
			return value + 1, true
		}
		known, after, whole := w.member(check, data, at)
		if !known || after < 0 || !whole {
			return i, whole
		}
		if at, beside = space(data, after), true; at == len(data) {
			return i, false
		}
		if data[at] != ',' {
			return i, true
		}
		at = space(data, at+1)
	}
}

// member reads the member at data[i]: whether it may stand beside the list, and where
// it ends, -1 where that is not known. whole is false where data ends within it.
func (w *holder) member(check *checker, data []byte, i int) (known bool, next int, whole bool) {
	end, value, _ := check.key(data, i)
	if value < 0 {
		return false, -1, !check.unended(data)
	}
	if !slices.Contains(w.beside, string(data[i+1:end])) {
		return false, -1, true
	}
	if _, next = check.value(data, value); next < 0 {
		return true, -1, !check.unended(data)
	}
	return true, next, next < len(data)
}
