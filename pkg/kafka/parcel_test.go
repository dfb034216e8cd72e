package kafka

import "testing"

// A parcel is filled again when all that was in it is acknowledged and no more is added.
func TestParcelIsUsedAgain(t *testing.T) {
	c := &Changelog{parcels: make(chan *parcel, 1)}
	p := c.parcel(&copied{})
	first := p.add(entryKey, []byte("key"), []byte("value"))
	gone := p.add(entryKey, []byte("gone"), nil)
	if string(first.Key) != "ekey" || string(first.Value) != "value" || string(gone.Key) != "egone" || gone.Value != nil {
		t.Errorf("got %q=%q and %q=%q", first.Key, first.Value, gone.Key, gone.Value)
	}
	c.done(p)
	c.done(p)
	if other := c.parcel(&copied{}); other == p {
		t.Fatal("it is filled again while it is being filled")
	}
	c.done(p)
	if c.parcel(&copied{}) != p {
		t.Error("it is not filled again")
	}
	if again := p.add(entryKey, nil, []byte{}); again != first || again.Value == nil || len(again.Value) > 0 {
		t.Errorf("the first record is at %p with %v, want it at %p, empty", again, again.Value, first)
	}
}
