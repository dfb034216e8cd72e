package exec

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
)

// plainWord is a word that means itself to a shell.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./+-]+$`)

// Find returns an error where the shell will not find the program that a command begins
// with. What is anything else to a shell is believed to be right.
func Find(command string) error {
	words := strings.Fields(command)
	if len(words) == 0 || !plainWord.MatchString(words[0]) {
		return nil
	}
	var err error
	if strings.Contains(words[0], "/") {
		_, err = exec.LookPath(words[0])
	} else { // it may be a word of the shell's own
		err = exec.Command("sh", "-c", `command -v -- "$1"`, "sh", words[0]).Run() //nolint:gosec,noctx // it only looks
	}
	if err == nil {
		return nil
	}
	return fault.Hint(fmt.Errorf("handler %q: there is no program %q that may be run", command, words[0]),
		"check --exec; a script here is ./NAME, and is made a program with chmod +x")
}
