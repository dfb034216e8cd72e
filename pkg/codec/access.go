package codec

import (
	"bytes"

	"github.com/logctl/logctl/pkg/record"
)

// access finds fields in the access logs of web servers: common, combined,
// either with the virtual host before it, and the form without ident and user
// of early servers (the EPA-HTTP trace).
//
//	[host[:port] ]client[ ident user] [timestamp] "request" status bytes[ "referer"[ "user_agent"]]
//
// What follows is no field, and some servers end the line before the size. The
// request is also split into method, path (up to the question mark), query and
// protocol, where it is one of HTTP; garbage that was sent instead is a request
// without them. A dash is missing. Escapes
// (\" and \x22) are resolved in the values that are read. Quotes that stand in
// the request unescaped, as some servers left them, are part of it: it ends at
// the first quote that a status follows.
type access struct {
	binding
	to [accessFields][]target

	wantRequest bool // a column is filled from the request
}

const (
	accessHost = iota
	accessClient
	accessIdent
	accessUser
	accessTime
	accessRequest
	accessMethod
	accessPath
	accessQuery
	accessProtocol
	accessStatus
	accessBytes
	accessReferer
	accessAgent
	accessFields
)

var accessNames = [accessFields]string{
	"host", "client", "ident", "user", "timestamp", "request", "method", "path", "query", "protocol", "status", "bytes",
	"referer", "user_agent",
}

func newAccess(plan *record.Plan) *access {
	p := &access{binding: newBinding(plan)}
	for i, name := range accessNames {
		p.to[i] = p.byName[name]
		p.wantRequest = p.wantRequest || i >= accessRequest && i <= accessProtocol && len(p.to[i]) > 0
	}
	return p
}

// parse reads the record in s, which is row's text.
func (p *access) parse(b *record.Batch, row int, s record.Span) (reason string) {
	p.begin()
	line, off := b.Bytes(s), int(s.Off)
	open := bytes.IndexByte(line, '[')
	if open < 2 || line[open-1] != ' ' {
		return `no " [" before the time: want client ident user [time] "request" status bytes`
	}
	shut := open + bytes.IndexByte(line[open:], ']')
	if shut < open || shut+2 >= len(line) || line[shut+1] != ' ' || line[shut+2] != '"' {
		return `no "] \"" between the time and the request`
	}
	end, escaped := requestEnd(line, shut+3)
	if end < 0 {
		return "no status behind a request in quotes"
	}
	status, size, rest := numbersAt(line, end+2)
	if size == nil {
		return `the size behind the status is neither a number nor "-"`
	}
	if reason := p.tail(b, row, off+rest, line[rest:]); reason != "" {
		p.clear(b, row)
		return reason
	}
	if !p.head(b, row, off, line[:open-1]) {
		p.clear(b, row)
		return "want one, three or four names before the time: client, or client ident user, or host client ident user"
	}
	p.set(b, row, p.to[accessTime], textValue(off+open+1, line[open+1:shut]))
	p.set(b, row, p.to[accessStatus], numberValue(off+end+2, status))
	if len(size) > 0 {
		p.set(b, row, p.to[accessBytes], numberValue(off+rest-len(size), size))
	}
	if p.wantRequest {
		p.request(b, row, p.quoted(b, off+shut+3, line[shut+3:end], escaped))
	}
	return ""
}

// requestEnd returns where the request that begins at line[i] ends.
func requestEnd(line []byte, i int) (end int, escaped bool) {
	for {
		n, esc := stringEnd(line, i)
		if n < 0 {
			return -1, false
		}
		escaped = escaped || esc
		if isStatus(line[n+1:]) {
			return n, escaped
		}
		i = n + 1
	}
}

// isStatus reports whether text begins with a space, a status and a space, or
// ends behind the status.
func isStatus(text []byte) bool {
	if len(text) < 3 || text[0] != ' ' {
		return false
	}
	if text[1] == '-' {
		return text[2] == ' '
	}
	return len(text) >= 4 && digits(text[1:4]) == 3 && (len(text) == 4 || text[4] == ' ')
}

// numbersAt reads the status and the size at line[i:]; size is nil where it is
// none, and empty where the line ends before it. The rest begins at rest.
func numbersAt(line []byte, i int) (status, size []byte, rest int) {
	n := bytes.IndexByte(line[i:], ' ')
	if n < 0 {
		return line[i:], line[len(line):], len(line)
	}
	status = line[i : i+n]
	i += n + 1
	n = digits(line[i:])
	if n == 0 && i < len(line) && line[i] == '-' {
		n = 1
	}
	if rest = i + n; n == 0 || rest < len(line) && line[rest] != ' ' {
		return status, nil, rest
	}
	return status, line[i:rest], rest
}

// head reads what stands before the time.
func (p *access) head(b *record.Batch, row, off int, head []byte) bool {
	first := bytes.IndexByte(head, ' ')
	if first < 0 {
		p.set(b, row, p.to[accessClient], textValue(off, head))
		return true
	}
	second := first + 1 + bytes.IndexByte(head[first+1:], ' ')
	if second <= first || first == 0 {
		return false
	}
	// Users may hold spaces. Ident is a dash nearly everywhere: where it is not
	// the second name, the first one is a virtual host.
	client := 0
	third := second + 1 + bytes.IndexByte(head[second+1:], ' ')
	if third > second && string(head[first+1:second]) != "-" {
		host := head[:first]
		if colon := bytes.LastIndexByte(host, ':'); colon > 0 && colon+1+digits(host[colon+1:]) == len(host) {
			host = host[:colon]
		}
		p.set(b, row, p.to[accessHost], textValue(off, host))
		client, first, second = first+1, second, third
	}
	p.set(b, row, p.to[accessClient], textValue(off+client, head[client:first]))
	p.set(b, row, p.to[accessIdent], textValue(off+first+1, head[first+1:second]))
	p.set(b, row, p.to[accessUser], textValue(off+second+1, head[second+1:]))
	return true
}

// tail reads the referer and the user agent, which are in quotes and may be
// missing, from text at off of the arena.
func (p *access) tail(b *record.Batch, row, off int, text []byte) (reason string) {
	for field := accessReferer; field <= accessAgent; field++ {
		if len(text) < 2 || text[0] != ' ' || text[1] != '"' {
			return ""
		}
		end, escaped := quoteEnd(text, 2)
		if end < 0 {
			return "no closing quote behind the " + accessNames[field]
		}
		if len(p.to[field]) > 0 {
			p.set(b, row, p.to[field], p.quoted(b, off+2, text[2:end], escaped))
		}
		off, text = off+end+1, text[end+1:]
	}
	return ""
}

// quoteEnd returns where the quoted text that begins at text[i] ends: at the
// first quote before a space or the end of the line.
func quoteEnd(text []byte, i int) (end int, escaped bool) {
	for {
		n, esc := stringEnd(text, i)
		escaped = escaped || esc
		if n < 0 || n+1 == len(text) || text[n+1] == ' ' {
			return n, escaped
		}
		i = n + 1
	}
}

// quoted returns the value of text, which stands at off, its escapes resolved.
func (p *access) quoted(b *record.Batch, off int, text []byte, escaped bool) record.Value {
	if !escaped {
		return textValue(off, text)
	}
	off = len(b.Data)
	b.Data = appendUnquoted(b.Data, text)
	return textValue(off, b.Data[off:])
}

// request hands on the request and its parts.
func (p *access) request(b *record.Batch, row int, v record.Value) {
	p.set(b, row, p.to[accessRequest], v)
	text, off := b.Raw(v), v.Off()
	space := bytes.IndexByte(text, ' ')
	if space < 1 || !isMethod(text[:space]) {
		return
	}
	end := len(text)
	if last := bytes.LastIndexByte(text, ' '); last > space && bytes.HasPrefix(text[last+1:], []byte("HTTP/")) {
		p.set(b, row, p.to[accessProtocol], textValue(off+last+1, text[last+1:]))
		end = last
	}
	p.set(b, row, p.to[accessMethod], record.NewValue(record.String, off, space))
	path := text[space+1 : end]
	if mark := bytes.IndexByte(path, '?'); mark >= 0 {
		p.set(b, row, p.to[accessQuery], record.NewValue(record.String, off+space+mark+2, len(path)-mark-1))
		path = path[:mark]
	}
	p.set(b, row, p.to[accessPath], record.NewValue(record.String, off+space+1, len(path)))
}

func isMethod(text []byte) bool {
	for _, c := range text {
		if (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// appendUnquoted appends text with the escapes of web servers resolved: \xHH,
// those of C, and a backslash before anything else.
func appendUnquoted(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '\\' || i+1 == len(text) {
			dst = append(dst, c)
			continue
		}
		i++
		switch c = text[i]; c {
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'v':
			c = '\v'
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'x':
			if i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]) {
				c = hexDigit(text[i+1])<<4 | hexDigit(text[i+2])
				i += 2
			}
		}
		dst = append(dst, c)
	}
	return dst
}

func isHex(c byte) bool { return c-'0' <= 9 || c|0x20-'a' <= 5 }

func hexDigit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
