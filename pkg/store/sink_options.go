package store

import "github.com/logctl/logctl/pkg/table"

// SinkOptions say how rows are written. The zero value is the default.
type SinkOptions struct {
	table.Options
	Onward bool // all is from topics, and goes on from the positions kept here: no place comes twice
}

// patient tries until it fails for another reason than that another process keeps
// the database for itself, or Busy says that it was waited for long enough.
func (o *SinkOptions) patient(try func() error) error {
	for {
		err := try()
		if !busy(err) || o.Busy == nil {
			return err
		}
		if err := o.Busy(err); err != nil {
			return err
		}
	}
}
