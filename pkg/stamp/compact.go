package stamp

// compact reads the forms whose date is not divided: 20060102T150405[.000][zone]
// and 20060102-15:04:05[:000] and 20060102:150405, and 060102 150405 or 060102 15:04:05, MySQL's.
func (p *Parser) compact(text []byte) (ns int64, n int, ok bool) {
	if len(text) < len("060102 150405") {
		return 0, 0, false
	}
	y, m, d, i := century(two(text)), two(text[2:]), two(text[4:]), 6
	if text[6] != ' ' {
		y, m, d, i = four(text), two(text[4:]), two(text[6:]), 8
	}
	if text[0]-'0' > 9 || text[1]-'0' > 9 || !valid(y, m, d) {
		return 0, 0, false
	}
	rest := text[i+1:]
	var sec, frac int64
	switch sep := text[i]; {
	case i == 8 && sep == ':':
		sec, frac, n, ok = bareClock(rest)
	case sep == ' ' || i == 8 && (sep|0x20 == 't' || sep == '-' || sep == '_'):
		switch sec, frac, n, ok = bareClock(rest); {
		case ok:
		case i == 8:
			sec, frac, n, ok = looseClock(rest)
		default:
			sec, frac, n, ok = clock(rest)
		}
	}
	if !ok {
		return 0, 0, false
	}
	return p.instant(days(y, m, d)*day+sec, frac, text, i+1+n)
}

// bareClock reads "hhmmss" and a fraction behind it, as clock does.
func bareClock(text []byte) (sec, frac int64, n int, ok bool) {
	if len(text) < 6 {
		return 0, 0, 0, false
	}
	h, m, s := two(text), two(text[2:]), two(text[4:])
	if h > 23 || m > 59 || !isSecond(s, m) || len(text) > 6 && text[6]-'0' <= 9 {
		return 0, 0, 0, false
	}
	frac, n = fraction(text, 6)
	return int64(h*hour + m*minute + s), frac, n, true
}

// looseClock reads "h:m:s" of one or two digits each, and behind it a fraction,
// or a colon and a number of milliseconds.
func looseClock(text []byte) (sec, frac int64, n int, ok bool) {
	var part [4]int
	k := 0
	for ; k < len(part); k++ {
		from := n
		for n < len(text) && text[n]-'0' <= 9 && n-from < 3 {
			part[k] = part[k]*10 + int(text[n]-'0')
			n++
		}
		if n == from {
			return 0, 0, 0, false
		}
		if k == 3 || n+1 >= len(text) || text[n] != ':' || text[n+1]-'0' > 9 {
			break
		}
		n++
	}
	if k < 2 || part[0] > 23 || part[1] > 59 || !isSecond(part[2], part[1]) || n < len(text) && text[n]-'0' <= 9 {
		return 0, 0, 0, false
	}
	frac = int64(part[3]) * 1e6
	if k == 2 {
		frac, n = fraction(text, n)
	}
	return int64(part[0]*hour + part[1]*minute + part[2]), frac, n, true
}
