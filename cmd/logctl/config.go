package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/logctl/logctl/pkg/fault"
)

// originKey annotates a flag with where its value came from.
const originKey = "logctl_origin"

// ownKey annotates a flag that only its command's own keys set, as what is called
// so elsewhere is something else: broker's --brokers is a number, others' are
// addresses.
const ownKey = "logctl_own_key"

// ownKeyOnly says that the general key of a flag's name is not meant for it.
func ownKeyOnly(fs *pflag.FlagSet, name string) {
	annotate(fs.Lookup(name), ownKey, "true")
}

func annotate(f *pflag.Flag, key, value string) {
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[key] = []string{value}
}

// configure fills every flag that the user left alone: from the environment
// (LOGCTL_WINDOW_SIZE, else LOGCTL_SIZE), else from the configuration file (size
// under window, else size). It is the only code that knows viper; commands read
// their own flags.
func configure(cmd *cobra.Command) error {
	env := viper.New()
	env.SetEnvPrefix("LOGCTL")
	env.SetEnvKeyReplacer(strings.NewReplacer("-", "_", ".", "_"))
	env.AutomaticEnv()
	file, path, err := readConfig(cmd)
	if err != nil {
		return err
	}
	if err := checkKeys(cmd.Root(), file, path); err != nil {
		return err
	}
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "config" || f.Name == "help" {
			return
		}
		errs = append(errs, fill(f, commandKey(cmd), env, file, path))
	})
	return errors.Join(errs...)
}

// commandKey names a command in configuration: "topic create" is topic-create.
func commandKey(cmd *cobra.Command) string {
	_, path, _ := strings.Cut(cmd.CommandPath(), " ")
	return strings.ReplaceAll(path, " ", "-")
}

// fill sets f from the first place that has a value for it.
func fill(f *pflag.Flag, command string, env, file *viper.Viper, path string) error {
	keys := []string{command + "." + f.Name, f.Name}
	if f.Annotations[ownKey] != nil {
		keys = keys[:1]
	}
	for _, key := range keys {
		if env.IsSet(key) {
			return setFlag(f, env, key, "environment "+variable(key))
		}
	}
	for _, key := range keys {
		if file.IsSet(key) {
			return setFlag(f, file, key, "file "+path+" "+key)
		}
	}
	return nil
}

// setFlag gives f the value that v has for key.
func setFlag(f *pflag.Flag, v *viper.Viper, key, origin string) error {
	var err error
	if list, ok := f.Value.(pflag.SliceValue); ok {
		err = list.Replace(strings.Split(strings.Join(v.GetStringSlice(key), ","), ","))
	} else {
		err = f.Value.Set(v.GetString(key))
	}
	if err != nil {
		return fault.Usagef("", "%s: %w", origin, err)
	}
	annotate(f, originKey, origin)
	return nil
}

// warnUnknown says which variables of the environment look like settings and are
// none.
func warnUnknown(cmd *cobra.Command) {
	var known []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) {
			continue
		}
		if known == nil {
			known = knownVariables(cmd.Root())
		}
		if slices.Contains(known, name[len(envPrefix):]) {
			continue
		}
		hint := ""
		if near := fault.Nearest(name[len(envPrefix):], known); near != "" {
			hint = "; did you mean " + envPrefix + near + "?"
		}
		note(cmd, "environment: no setting is called %s%s", name, hint)
	}
}

// envPrefix begins the names of all variables of the environment that are logctl's.
const envPrefix = "LOGCTL_"

// knownVariables returns the names, without their prefix, of the variables that mean
// something: those of settings, and those that stand in no file.
func knownVariables(root *cobra.Command) []string {
	known := []string{"CONFIG", passwordVariable[len(envPrefix):]}
	for _, key := range knownKeys(root) {
		known = append(known, variable(key)[len(envPrefix):])
	}
	return known
}

// variable names a setting in the environment: window.size is LOGCTL_WINDOW_SIZE.
func variable(key string) string {
	return envPrefix + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(key))
}

// readConfig reads the configuration file: the one of --config or LOGCTL_CONFIG,
// which must exist, else the user's, which need not.
func readConfig(cmd *cobra.Command) (v *viper.Viper, path string, err error) {
	v = viper.New()
	path, _ = cmd.Flags().GetString("config")
	if path == "" {
		path = os.Getenv("LOGCTL_CONFIG")
	}
	explicit := path != ""
	if !explicit {
		dir, err := os.UserConfigDir()
		if err != nil {
			return v, "", nil //nolint:nilerr // without a home there is no file
		}
		path = filepath.Join(dir, "logctl", "config.yaml")
	}
	v.SetConfigFile(path)
	if !slices.Contains(viper.SupportedExts, strings.TrimPrefix(filepath.Ext(path), ".")) {
		v.SetConfigType("yaml") // whatever the file is called
	}
	switch err := v.ReadInConfig(); {
	case errors.Is(err, os.ErrNotExist) && !explicit:
		return v, path, nil
	case err != nil:
		hint := ""
		if cmd.Flags().Lookup("topic-config") != nil && strings.Contains(path, "=") {
			hint = "--topic-config " + path + " is a setting of the topic; --config FILE is logctl's own"
		}
		return nil, "", fault.Usagef(hint, "reading config %q: %w", path, err)
	}
	return v, path, nil
}

// checkKeys refuses keys that no command knows.
func checkKeys(root *cobra.Command, v *viper.Viper, path string) error {
	known := knownKeys(root)
	for _, key := range v.AllKeys() {
		if slices.Contains(known, key) {
			continue
		}
		return fault.Usagef(fault.DidYouMean(key, known), "config %q: unknown key %q", path, key)
	}
	return nil
}

// knownKeys returns every flag's name, and every command's and flag's.
func knownKeys(root *cobra.Command) []string {
	var keys []string
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		add := func(f *pflag.Flag) {
			if f.Name != "help" && f.Name != "config" {
				keys = append(keys, f.Name, commandKey(c)+"."+f.Name)
			}
		}
		c.LocalFlags().VisitAll(add)
		c.InheritedFlags().VisitAll(add)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	slices.Sort(keys)
	return slices.Compact(keys)
}
