package expr

import (
	"slices"
	"unsafe"

	"github.com/logctl/logctl/pkg/record"
)

// metaNames are what an expression can read of a record besides its fields.
var metaNames = []string{"_time", "_key", "_value", "_topic", "_partition", "_offset"}

// isMeta reports whether an expression reads the record itself under a name.
func isMeta(name string) bool { return slices.Contains(metaNames, name) }

// meta compiles a name of metaNames.
func (c *compiler) meta(name string) (code, bool) {
	switch name {
	case "_time":
		if c.plan.Time < 0 {
			c.plan.ReadTime("")
		}
		return nsCode(Time, func(b *record.Batch, i int) (int64, bool) {
			t := b.Recs[i].Time
			return t, t != record.NoTime
		}), true
	case "_key":
		c.plan.Whole = true
		return textCode(func(b *record.Batch, i int) ([]byte, bool) {
			r := &b.Recs[i]
			return b.Bytes(r.Key), r.Flags&record.HasKey != 0
		}), true
	case "_value":
		c.plan.Whole = true
		return textCode(func(b *record.Batch, i int) ([]byte, bool) {
			return b.Value(i), b.Recs[i].Flags&record.Tombstone == 0
		}), true
	case "_topic":
		c.plan.Placed = true
		return textCode(func(b *record.Batch, _ int) ([]byte, bool) {
			if b.Origin == nil || !b.Origin.Topic {
				return nil, false
			}
			s := b.Origin.Source
			return unsafe.Slice(unsafe.StringData(s), len(s)), true
		}), true
	case "_partition":
		c.plan.Placed = true
		return numCode(func(b *record.Batch, _ int) (float64, bool) {
			if b.Origin == nil || !b.Origin.Topic {
				return 0, false
			}
			return float64(b.Origin.Partition), true
		}), true
	case "_offset":
		c.plan.Placed = true
		return numCode(func(b *record.Batch, i int) (float64, bool) { return float64(b.Recs[i].Offset), true }), true
	default:
		return code{}, false
	}
}

// header compiles header("name"): the first header of that name.
func (c *compiler) header(_ *node, args []code) (code, error) {
	if !args[0].isLit(Text) {
		return code{}, c.errorAt(args[0].node, `write header("name")`, "header wants the name of a header in quotes")
	}
	c.plan.Whole = true
	name := string(args[0].lit.Text)
	return textCode(func(b *record.Batch, i int) ([]byte, bool) {
		r := &b.Recs[i]
		for _, h := range b.HeadersOf(r) {
			if string(b.Bytes(h.Key)) == name {
				return b.Bytes(h.Value), true
			}
		}
		return nil, false
	}), nil
}
