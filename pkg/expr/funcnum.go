package expr

import (
	"math"

	"github.com/logctl/logctl/pkg/record"
)

func numOf(args []code) code { return numCode(args[0].asNum()) }

func absFn(args []code) code   { return unary(args[0], math.Abs) }
func floorFn(args []code) code { return unary(args[0], math.Floor) }
func ceilFn(args []code) code  { return unary(args[0], math.Ceil) }

func unary(x code, f func(float64) float64) code {
	num := x.asNum()
	return numCode(func(b *record.Batch, i int) (float64, bool) {
		v, ok := num(b, i)
		return f(v), ok
	})
}

// roundFn rounds halves away from zero, to digits behind the point.
func roundFn(args []code) code {
	if len(args) == 1 {
		return unary(args[0], math.Round)
	}
	num, digits := args[0].asNum(), args[1].asNum()
	return numCode(func(b *record.Batch, i int) (float64, bool) {
		x, ok := num(b, i)
		d, ok2 := digits(b, i)
		if !ok || !ok2 {
			return 0, false
		}
		return finite(roundTo(x, math.Pow(10, math.Trunc(d))), true)
	})
}

// roundTo rounds x to a multiple of 1/scale. One that is too great for any digits
// behind that place is left as it is.
func roundTo(x, scale float64) float64 {
	switch scaled := x * scale; {
	case scale == 0:
		return 0
	case math.Abs(scaled) < 1<<52:
		return math.Round(scaled) / scale
	default:
		return x
	}
}

func minFn(args []code) code { return extreme(args, func(x, y float64) float64 { return min(x, y) }) }

func maxFn(args []code) code { return extreme(args, func(x, y float64) float64 { return max(x, y) }) }

// extreme folds the arguments that are there; those that are missing do not
// count.
func extreme(args []code, f func(x, y float64) float64) code {
	nums := make([]numFn, len(args))
	for k, a := range args {
		nums[k] = a.asNum()
	}
	return numCode(func(b *record.Batch, i int) (best float64, found bool) {
		for _, num := range nums {
			x, ok := num(b, i)
			if ok && found {
				x = f(best, x)
			}
			if ok {
				best, found = x, true
			}
		}
		return best, found
	})
}
