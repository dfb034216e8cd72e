package codec

import (
	"slices"
	"strings"
)

// csvlogColumns are those of PostgreSQL's csvlog, which has no header.
var csvlogColumns = strings.Split("timestamp,user,database,pid,client,session,line,tag,session_start,vxid,txid,"+
	"level,code,message,detail,hint,internal_query,internal_pos,context,query,query_pos,location,application,"+
	"backend,leader,query_id", ",")

// csvlogWidths are how many of them there are: until version 12, in 13 and since 14.
var csvlogWidths = []int{23, 24, 26}

// The columns of csvlog that tell it from other tables.
const csvlogLevel, csvlogCode = 11, 12

// csvlogFormat returns the format of lines of PostgreSQL's csvlog, which names the
// columns, or "" where they are none.
func csvlogFormat(lines [][]byte) string {
	rows := joinQuoted(lines, ',')
	n := len(columnsOf(rows[0], ','))
	fits := func(row []byte) bool { return isCut(row, ',') || isCsvlog(row, n) }
	if !slices.Contains(csvlogWidths, n) || !most(rows, fits) {
		return ""
	}
	return "csv:" + strings.Join(csvlogColumns[:n], ",")
}

// isCsvlog reports whether a row has n columns and those of csvlog where it is known
// by them.
func isCsvlog(row []byte, n int) bool {
	columns := columnsOf(row, ',')
	if len(columns) != n || len(columns[csvlogCode]) != len("42P01") {
		return false
	}
	switch level := columns[csvlogLevel]; level {
	case "LOG", "PANIC", "FATAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG":
		return true
	default:
		return len(level) == len("DEBUG1") && strings.HasPrefix(level, "DEBUG")
	}
}
