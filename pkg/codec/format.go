package codec

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

// Formats are the names that Options.Format takes. Some take more behind a
// colon: the names of columns (csv:time,host,status), the format of what is
// within (docker:ndjson, cri:logfmt), a pattern.
var Formats = []string{
	"auto", "ndjson", "json", "csv", "tsv", "ssv", "ltsv", "logfmt", "common", "combined", "syslog", "otlp", "zeek", "w3c",
	"docker", "cri", "plain", "regex:",
}

// splitFormat splits a format into its name and what it says besides.
func splitFormat(format string) (name, rest string) {
	name, rest, _ = strings.Cut(format, ":")
	return name, rest
}

// checkFormat returns why format is none.
func checkFormat(format string) error {
	name, rest := splitFormat(format)
	var err error
	switch name {
	case "", "auto", "ndjson", "json", "ltsv", "logfmt", "common", "combined", "syslog", "otlp", "zeek", "w3c", "plain":
		if rest == "" && !strings.Contains(format, ":") {
			return nil
		}
	case "csv", "tsv", "ssv":
		if format == name || !slices.Contains(strings.Split(rest, ","), "") {
			return nil
		}
		return fault.Usagef("as in --format "+name+":time,host,status", "format %q has a column without a name", format)
	case "regex":
		_, err = newRegex(record.NewPlan(), rest)
		return withCaret(err, "format", rest)
	case "docker", "cri":
		inner, _ := splitFormat(rest)
		if !slices.Contains([]string{"json", "csv", "tsv", "ssv", "zeek", "w3c", "docker", "cri"}, inner) {
			return checkFormat(rest)
		}
	}
	hint := fault.DidYouMean(name, Formats)
	if hint == "" || slices.Contains(Formats, name) {
		hint = "one of " + strings.Join(Formats, ", ") + "PATTERN"
	}
	return fault.Usagef(hint, "unknown format %q", format)
}

// withCaret turns the complaint of package regexp about a pattern into one
// that shows it with a caret under the place. Other errors stay.
func withCaret(err error, what, pattern string) error {
	flaw, ok := errors.AsType[*syntax.Error](err)
	if !ok {
		return err
	}
	at := max(strings.Index(pattern, flaw.Expr), 0)
	if flaw.Expr == pattern || flaw.Expr == "" {
		at = utf8.RuneCountInString(pattern)
	} else {
		at = utf8.RuneCountInString(pattern[:at])
	}
	shown := strings.ToValidUTF8(strings.ReplaceAll(pattern, "\n", " "), "\uFFFD")
	text := fmt.Sprintf("%s: %s in the pattern\n  %s\n  %s^", what, flaw.Code, shown, strings.Repeat(" ", at))
	return &fault.Error{Err: errors.New(text), Status: fault.Usage, Hint: fault.HintOf(err)}
}

// compileStart compiles the pattern of Options.Multiline.
func compileStart(pattern string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, withCaret(fault.Usagef(`as in --multiline '^\d{4}-'`, "%w", err), "multiline", pattern)
	}
	return re, nil
}

// Splits reports whether what a source calls a record of a format may be several:
// they have one offset, and numbers (record.Rec.Part).
func Splits(format string) bool { return format == "otlp" }

// hasHeader reports whether a stream of a format begins with the names of its
// columns, which are no record.
func hasHeader(format string) bool {
	switch name, names := splitFormat(format); name {
	case "csv", "tsv", "ssv", "zeek", "w3c":
		return names == ""
	default:
		return false
	}
}

// hasHashHeader reports whether the header of a format is made of lines that begin
// with #. Such lines further down are no records.
func hasHashHeader(format string) bool { return format == "zeek" || format == "w3c" }

// isStructured reports whether the records of a format have fields of their
// own, so that an empty line is none.
func isStructured(format string) bool {
	name, _ := splitFormat(format)
	return name != "plain" && name != "regex"
}
