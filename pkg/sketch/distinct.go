package sketch

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

const (
	registerBits = 14
	registers    = 1 << registerBits
	maxRank      = 64 - registerBits + 1
	exactSlots   = registers / 8      // a table of hashes is never larger than the registers
	exactMax     = exactSlots * 3 / 4 // so many hashes are kept
)

// DistinctError is the standard error of an estimate that is not exact,
// relative to it: two thirds of the estimates are nearer, 95 % within twice.
const DistinctError = 1.04 / 128 // 1.04/sqrt(registers)

// Distinct counts different values by their 64-bit hashes: exactly up to 1,536
// of them, then with HyperLogLog in 16 KiB. All that meet in one count must
// be hashed alike (xxh3 throughout this program).
type Distinct struct {
	n     int
	slots []uint64 // the hashes, open addressing; 0 is a free slot
	reg   []byte   // HyperLogLog's registers; set where slots is not
}

// Add adds the value with the given hash.
func (d *Distinct) Add(hash uint64) {
	if d.reg != nil {
		d.register(hash)
		return
	}
	if hash == 0 {
		hash = 1
	}
	if d.has(hash) {
		return
	}
	if 4*(d.n+1) > 3*len(d.slots) {
		if len(d.slots) == exactSlots {
			d.toRegisters()
			d.register(hash)
			return
		}
		d.grow()
	}
	place(d.slots, hash)
	d.n++
}

func (d *Distinct) has(hash uint64) bool {
	if d.n == 0 {
		return false
	}
	mask := uint64(len(d.slots) - 1)
	i := hash & mask
	for d.slots[i] != 0 && d.slots[i] != hash {
		i = (i + 1) & mask
	}
	return d.slots[i] == hash
}

// place puts a hash into a table that has room and does not hold it.
func place(slots []uint64, hash uint64) {
	mask := uint64(len(slots) - 1)
	i := hash & mask
	for slots[i] != 0 {
		i = (i + 1) & mask
	}
	slots[i] = hash
}

func (d *Distinct) grow() {
	wider := make([]uint64, max(8, 2*len(d.slots)))
	for _, h := range d.slots {
		if h != 0 {
			place(wider, h)
		}
	}
	d.slots = wider
}

func (d *Distinct) toRegisters() {
	d.reg = make([]byte, registers)
	for _, h := range d.slots {
		if h != 0 {
			d.register(h)
		}
	}
	d.n, d.slots = 0, nil
}

func (d *Distinct) register(hash uint64) {
	i := hash >> (64 - registerBits)
	rank := byte(bits.LeadingZeros64(hash<<registerBits|1<<(registerBits-1))) + 1
	if rank > d.reg[i] {
		d.reg[i] = rank
	}
}

// Merge adds all values of o, which stays as it is.
func (d *Distinct) Merge(o *Distinct) {
	if o.reg == nil {
		for _, h := range o.slots {
			if h != 0 {
				d.Add(h)
			}
		}
		return
	}
	if d.reg == nil {
		d.toRegisters()
	}
	for i, rank := range o.reg {
		d.reg[i] = max(d.reg[i], rank)
	}
}

// Exact reports whether Count is exact rather than an estimate.
func (d *Distinct) Exact() bool { return d.reg == nil }

// Count returns the number of different values, exact or within
// DistinctError. The estimator is the one of Ertl, "New cardinality estimation
// algorithms for HyperLogLog sketches" (2017), algorithm 6, which has no bias
// at any size.
func (d *Distinct) Count() uint64 {
	if d.reg == nil {
		return uint64(d.n)
	}
	var hist [maxRank + 1]int
	for _, rank := range d.reg {
		hist[rank]++
	}
	const m = float64(registers)
	z := m * tau(1-float64(hist[maxRank])/m)
	for k := maxRank - 1; k >= 1; k-- {
		z = (z + float64(hist[k])) / 2
	}
	z += m * sigma(float64(hist[0])/m)
	return uint64(math.Round(m * m / (2 * math.Ln2 * z)))
}

func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for {
		x *= x
		before := z
		z += x * y
		y += y
		if z == before {
			return z
		}
	}
}

func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for {
		x = math.Sqrt(x)
		before := z
		y /= 2
		z -= (1 - x) * (1 - x) * y
		if z == before {
			return z / 3
		}
	}
}

const distinctVersion = 1

// Append appends the encoded sketch to dst.
func (d *Distinct) Append(dst []byte) []byte {
	dst = append(dst, distinctVersion)
	if d.reg != nil {
		dst = binary.AppendUvarint(dst, exactMax+1)
		return append(dst, d.reg...)
	}
	dst = binary.AppendUvarint(dst, uint64(d.n))
	start := len(dst)
	for _, h := range d.slots {
		if h != 0 {
			dst = binary.BigEndian.AppendUint64(dst, h)
		}
	}
	sortWords(dst[start:])
	return dst
}

// sortWords sorts b as words of eight bytes.
func sortWords(b []byte) {
	words := make([]uint64, len(b)/8)
	for i := range words {
		words[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	slices.Sort(words)
	for i, w := range words {
		binary.LittleEndian.PutUint64(b[8*i:], w)
	}
}

// Decode replaces d by the sketch that src begins with and returns the rest.
func (d *Distinct) Decode(src []byte) (rest []byte, err error) {
	*d = Distinct{}
	r := newReader(src, "distinct values", distinctVersion)
	var got Distinct
	n := r.Uint(exactMax + 1)
	if n > exactMax {
		got.reg = slices.Clone(r.Take(registers))
		for _, rank := range got.reg {
			r.Check(rank <= maxRank)
		}
	} else {
		before := uint64(0)
		for range n {
			h := r.Word()
			r.Check(h > before)
			if r.Failed() {
				return r.end()
			}
			got.Add(h)
			before = h
		}
	}
	if !r.Failed() {
		*d = got
	}
	return r.end()
}
