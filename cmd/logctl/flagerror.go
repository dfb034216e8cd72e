package main

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
)

var unknownFlag = regexp.MustCompile(`^unknown (?:shorthand )?flag: (?:--|'.' in -)(\S+)`)

// flagError makes an error of the flag parser ours: with the nearest name. A flag
// that is unknown because its command is, is the command's fault.
func flagError(cmd *cobra.Command, err error) error {
	if args := cmd.Flags().Args(); groups(cmd) && len(args) > 0 {
		return unknownCommand(cmd, args)
	}
	hint := "see " + cmd.CommandPath() + " --help"
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return fault.Usagef(cmp.Or(fault.HintOf(err), hint), "--%s %w", bad.GetFlag().Name, invalidValue(bad))
	}
	if m := unknownFlag.FindStringSubmatch(err.Error()); m != nil {
		name, _, _ := strings.Cut(m[1], "=")
		hint = cmp.Or(fault.HintOf(err), unknownFlagHint(cmd, name, hint))
	}
	return fault.Usagef(hint, "%w", err)
}

// invalidValue says what a flag was given, and what it wants, in other words than those
// of the parser of numbers.
func invalidValue(bad *pflag.InvalidValueError) error {
	number, ok := errors.AsType[*strconv.NumError](bad.Unwrap())
	switch {
	case !ok && strings.HasPrefix(bad.Unwrap().Error(), `"`):
		return bad.Unwrap()
	case !ok:
		return fmt.Errorf("%q: %w", bad.GetValue(), bad.Unwrap())
	case errors.Is(number, strconv.ErrRange):
		return fmt.Errorf("%q: that is too large a number", number.Num)
	case number.Func == "ParseBool":
		return fmt.Errorf("%q: want true or false", number.Num)
	case number.Func == "ParseFloat":
		return fmt.Errorf("%q: want a number, as 0.01", number.Num)
	case number.Func == "ParseUint":
		return fmt.Errorf("%q: want a whole number from 0", number.Num)
	default:
		return fmt.Errorf("%q: want a whole number", number.Num)
	}
}

// unknownFlagHint names the nearest flag of cmd, or the commands that have the
// very flag; otherwise it is the one given.
func unknownFlagHint(cmd *cobra.Command, name, otherwise string) string {
	var owners []string
	for _, c := range cmd.Root().Commands() {
		if c.LocalFlags().Lookup(name) != nil && c.IsAvailableCommand() {
			owners = append(owners, c.Name())
		}
	}
	if len(owners) > 0 {
		return "--" + name + " is a flag of " + strings.Join(owners, ", ") + "; " + otherwise
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := fault.Nearest(name, names); near != "" {
		return "did you mean --" + near + "?"
	}
	return otherwise
}
