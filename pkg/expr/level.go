package expr

// longestLevel is the length of the longest level word.
const longestLevel = len("INFORMATIONAL")

// severity returns how severe the level is that text names: the greater, the
// worse, 0 where it names none. It knows the words of syslog and of the usual
// logging libraries in any case, syslog's numbers 0 to 7 (journald's
// PRIORITY), and the numbers 10 to 60 of bunyan and pino.
func severity(text []byte) int {
	if len(text) == 0 || len(text) > longestLevel {
		return 0
	}
	var buf [longestLevel]byte
	for i, c := range text {
		if c-'a' <= 'z'-'a' {
			c -= 'a' - 'A'
		}
		buf[i] = c
	}
	switch string(buf[:len(text)]) {
	case "TRACE", "T", "VERBOSE", "V", "VRB", "FINEST", "FINER", "10":
		return 10
	case "DEBUG", "DBG", "DBUG", "D", "FINE", "CONFIG", "20", "7":
		return 20
	case "INFO", "INFORMATION", "INFORMATIONAL", "INF", "I", "NOTE", "SYSTEM", "LOG", "30", "6":
		return 30
	case "NOTICE", "N", "5":
		return 35
	case "WARN", "WARNING", "WRN", "W", "40", "4":
		return 40
	case "ERROR", "ERR", "E", "SEVERE", "FAIL", "50", "3":
		return 50
	case "CRIT", "CRITICAL", "FATAL", "FTL", "F", "C", "60", "2":
		return 60
	case "ALERT", "A", "1":
		return 70
	case "EMERG", "EMERGENCY", "PANIC", "DPANIC", "0":
		return 80
	default:
		return 0
	}
}
