package broker

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
)

// A User may log in to a broker.
type User struct {
	Name     string
	Password string
}

// ReadUsers reads users, one name:password a line, as in a file that only its
// owner can read. Empty lines and those that begin with # are skipped; a
// password may hold colons and spaces. Errors name the line, never the
// password.
func ReadUsers(r io.Reader) ([]User, error) {
	var users []User
	seen := map[string]bool{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if line == "" || line[0] == '#' {
			continue
		}
		name, password, ok := strings.Cut(line, ":")
		if !ok || name == "" || password == "" {
			return nil, fault.Usagef("as in alice:secret", "users, line %d: not name:password", n)
		}
		if seen[name] {
			return nil, fault.Usagef("", "users, line %d: %q is there twice", n, name)
		}
		seen[name] = true
		users = append(users, User{name, password})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading users: %w", err)
	}
	if len(users) == 0 {
		return nil, fault.Usagef("as in alice:secret", "users: there is none")
	}
	return users, nil
}
