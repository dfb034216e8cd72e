package expr

import (
	"slices"

	"github.com/logctl/logctl/pkg/fault"
)

// A function is a function of the language.
type function struct {
	usage    string // as messages and the manual show it
	min, max int    // how many arguments; max -1 for any number
	args     []Type // the types of the arguments; Any takes all, the last one repeats
	build    func(c *compiler, n *node, args []code) (code, error)
}

// functions are all functions by their names.
var functions map[string]function

// init fills functions, which its entries refer to through the compiler.
func init() {
	functions = map[string]function{
		"has":         {`has(x)`, 1, 1, []Type{Any}, simple(hasFn)},
		"num":         {`num(x)`, 1, 1, []Type{Any}, simple(numOf)},
		"str":         {`str(x)`, 1, 1, []Type{Any}, simple(strOf)},
		"len":         {`len(text)`, 1, 1, []Type{Text}, simple(lenFn)},
		"lower":       {`lower(text)`, 1, 1, []Type{Text}, simple(lowerFn)},
		"upper":       {`upper(text)`, 1, 1, []Type{Text}, simple(upperFn)},
		"trim":        {`trim(text)`, 1, 1, []Type{Text}, simple(trimFn)},
		"contains":    {`contains(text, part)`, 2, 2, []Type{Text}, simple(containsFn)},
		"starts_with": {`starts_with(text, part)`, 2, 2, []Type{Text}, simple(startsWithFn)},
		"ends_with":   {`ends_with(text, part)`, 2, 2, []Type{Text}, simple(endsWithFn)},
		"replace":     {`replace(text, old, new)`, 3, 3, []Type{Text}, simple(replaceFn)},
		"substr":      {`substr(text, start, length)`, 2, 3, []Type{Text, Num}, simple(substrFn)},
		"split":       {`split(text, separator, index)`, 3, 3, []Type{Text, Text, Num}, simple(splitFn)},
		"match":       {`match(text, "regex", group)`, 2, 3, []Type{Text, Text, Any}, (*compiler).matchGroup},
		"hash":        {`hash(text)`, 1, 1, []Type{Text}, simple(hashFn)},
		"min":         {`min(a, b)`, 1, -1, []Type{Num}, simple(minFn)},
		"max":         {`max(a, b)`, 1, -1, []Type{Num}, simple(maxFn)},
		"abs":         {`abs(x)`, 1, 1, []Type{Num}, simple(absFn)},
		"floor":       {`floor(x)`, 1, 1, []Type{Num}, simple(floorFn)},
		"ceil":        {`ceil(x)`, 1, 1, []Type{Num}, simple(ceilFn)},
		"round":       {`round(x, digits)`, 1, 2, []Type{Num}, simple(roundFn)},
		"time":        {`time(x)`, 1, 1, []Type{Time}, simple(timeOf)},
		"duration":    {`duration(x)`, 1, 1, []Type{Duration}, simple(durationOf)},
		"floor_time":  {`floor_time(time, 5m)`, 2, 2, []Type{Time, Duration}, (*compiler).floorTime},
		"date":        {`date(time)`, 1, 1, []Type{Time}, simple(dateFn)},
		"hour":        {`hour(time)`, 1, 1, []Type{Time}, simple(hourFn)},
		"minute":      {`minute(time)`, 1, 1, []Type{Time}, simple(minuteFn)},
		"weekday":     {`weekday(time)`, 1, 1, []Type{Time}, simple(weekdayFn)},
		"in_network":  {`in_network(ip, "10.0.0.0/8")`, 2, 2, []Type{Text}, (*compiler).inNetwork},
		"header":      {`header("name")`, 1, 1, []Type{Text}, (*compiler).header},
	}
}

// instead are the names under which other languages know what is an operator
// here, or has another name.
var instead = map[string]string{
	"coalesce": "write a ?? b", "default": "write a ?? b", "ifnull": "write a ?? b",
	"if": "write condition ? a : b", "iff": "write condition ? a : b", "case": "write condition ? a : b",
	"concat": "write a + b", "exists": "write has(x)", "length": "write len(text)",
	"now":        "expressions do not know the time of day; _time is the record's",
	"startsWith": "write starts_with(text, part)", "endsWith": "write ends_with(text, part)",
	"cidr": `write in_network(ip, "10.0.0.0/8")`, "cidr_match": `write in_network(ip, "10.0.0.0/8")`,
	"int": "write num(x), floor(x) or round(x)", "float": "write num(x)", "string": "write str(x)",
}

// simple makes a build function of one that needs the arguments alone.
func simple(f func(args []code) code) func(*compiler, *node, []code) (code, error) {
	return func(_ *compiler, _ *node, args []code) (code, error) { return f(args), nil }
}

// call compiles the call of a function.
func (c *compiler) call(n *node) (code, error) {
	f, ok := functions[n.name]
	if !ok {
		return code{}, c.errorAt(n, unknownHint(n.name), "unknown function %q", n.name)
	}
	if len(n.args) < f.min || f.max >= 0 && len(n.args) > f.max {
		return code{}, c.errorAt(n, "write "+f.usage, "%s does not take %d arguments", n.name, len(n.args))
	}
	args := make([]code, len(n.args))
	for k, a := range n.args {
		x, err := c.compile(a)
		if err != nil {
			return code{}, err
		}
		want := f.args[min(k, len(f.args)-1)]
		if x.null() || !fits(x, want) {
			return code{}, c.errorAt(a, "write "+f.usage, "%s wants %s, not %s", n.name, want, describe(x))
		}
		args[k] = x
	}
	return f.build(c, n, args)
}

// fits reports whether x may be what is wanted.
func fits(x code, want Type) bool {
	if x.isLit(Text) && want == Num {
		return looksNumeric(x)
	}
	if x.isLit(Text) && want.reads() {
		return readsAs(x, want)
	}
	switch want {
	case Any:
		return true
	case Text:
		return x.typ != Bool
	case Num:
		return x.has(Any, Num, Text)
	case Time:
		return x.has(Any, Time, Text, Num)
	default:
		return x.has(Any, Duration, Text, Num)
	}
}

// reads reports whether text may stand for a value of type t.
func (t Type) reads() bool { return t == Time || t == Duration }

func unknownHint(name string) string {
	if hint := instead[name]; hint != "" {
		return hint
	}
	var names []string
	for f := range functions {
		names = append(names, f)
	}
	slices.Sort(names)
	return fault.DidYouMean(name, names)
}
