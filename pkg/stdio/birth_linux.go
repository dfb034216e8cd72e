package stdio

import (
	"os"

	"golang.org/x/sys/unix"
)

// birth returns when a file was made, ns since 1970; 0 where its file system does
// not know.
func birth(f *os.File) uint64 {
	var st unix.Statx_t
	err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &st)
	if err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return 0
	}
	return uint64(st.Btime.Sec)*1e9 + uint64(st.Btime.Nsec)
}
