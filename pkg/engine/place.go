package engine

import (
	"fmt"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
)

// Place says where row i of b comes from: file:line, or topic/partition@offset.
func Place(b *record.Batch, i int) string {
	rec := &b.Recs[i]
	switch o := b.Origin; {
	case o == nil:
		return "record " + human.Count(int64(i)+1)
	case o.Topic:
		return fmt.Sprintf("%s/%d@%d", o.Source, o.Partition, rec.Offset)
	case rec.Line > 0:
		return fmt.Sprintf("%s:%d", o.Source, rec.Line)
	default:
		return fmt.Sprintf("%s@%d", o.Source, rec.Offset)
	}
}
