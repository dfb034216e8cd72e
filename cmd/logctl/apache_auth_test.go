//go:build kafka

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestApacheAccess: who may do what, said by flags, by a file and by the
// environment, and what is said to those who may not.
func TestApacheAccess(t *testing.T) {
	a := startApache(t, 1, "auth")
	t.Run("Login", func(t *testing.T) { testLogin(t, a) })
	t.Run("LoginRefused", func(t *testing.T) { testLoginRefused(t, a) })
	t.Run("ReadOnly", func(t *testing.T) { testReadOnly(t, a) })
	t.Run("TopicMissing", func(t *testing.T) { testTopicMissing(t, a) })
	t.Run("TooLarge", func(t *testing.T) { testTooLarge(t, a) })
}

// write writes a file of a test.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// testLogin: each way in, and each way to say it.
func testLogin(t *testing.T, a *apache) {
	sasl, ssl := a.addrs[1], a.addrs[2]
	ca := filepath.Join(a.dir, "ca.pem")
	password := write(t, "password", "secret\n")
	config := write(t, "config.yaml", "brokers: ["+sasl+"]\nsasl: SCRAM-SHA-512\nuser: ann\n")
	for name, way := range map[string]struct{ args, env []string }{
		"TLS by flags":       {args: []string{"-b", ssl, "--tls-ca", ca}},
		"TLS by environment": {env: []string{"LOGCTL_BROKERS=" + ssl, "LOGCTL_TLS_CA=" + ca}},
		"PLAIN by flags":     {args: []string{"-b", sasl, "--sasl", "PLAIN", "--user", "ann", "--password-file", password}},
		"SCRAM-SHA-256": {args: []string{
			"-b", sasl, "--sasl", "SCRAM-SHA-256", "--user", "ann", "--password-file", password,
		}},
		"SCRAM-SHA-512 by file and environment": {
			args: []string{"--config", config}, env: []string{"LOGCTL_BROKERS=" + sasl, "LOGCTL_PASSWORD=secret"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			topic := a.topic(t, 1)
			produce := append([]string{"produce", "--to", "kafka:" + topic}, way.args...)
			if r := a.run(t, strings.NewReader("one\ntwo\n"), way.env, produce...); r.status != 0 {
				t.Fatalf("status %d\n%s", r.status, r.errs)
			}
			consume := append([]string{"consume", "--from", "kafka:" + topic, "--group", topic, "--stop", "end"}, way.args...)
			if r := a.run(t, nil, way.env, consume...); r.status != 0 || r.out != "one\ntwo\n" {
				t.Errorf("status %d, read %q\n%s", r.status, r.out, r.errs)
			}
		})
	}
}

func testLoginRefused(t *testing.T, a *apache) {
	sasl, ssl := a.addrs[1], a.addrs[2]
	topic := a.topic(t, 1)
	stranger := write(t, "ca.pem", "")
	login := func(mechanism, user string) []string {
		return []string{"-b", sasl, "--sasl", mechanism, "--user", user}
	}
	for name, c := range map[string]struct {
		args, want []string
	}{
		"PLAIN":         {login("PLAIN", "ann"), []string{`user "ann"`, "password"}},
		"SCRAM-SHA-256": {login("SCRAM-SHA-256", "ann"), []string{`user "ann"`, "password"}},
		"SCRAM-SHA-512": {login("SCRAM-SHA-512", "ann"), []string{`user "ann"`, "password"}},
		"no such user":  {login("PLAIN", "bob"), []string{`user "bob"`, "password"}},
		"no login":      {[]string{"-b", sasl}, []string{sasl, "--sasl"}},
		"no TLS":        {[]string{"-b", ssl}, []string{ssl, "--tls"}},
		"TLS to no TLS": {[]string{"-b", a.addrs[0], "--tls"}, []string{a.addrs[0], "--tls"}},
		"unknown CA":    {[]string{"-b", ssl, "--tls"}, []string{"unknown authority", "--tls-ca"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := []string{"LOGCTL_PASSWORD=gue55"}
			produce := append([]string{"produce", "--to", "kafka:" + topic}, c.args...)
			refused(t, a.run(t, strings.NewReader("one\n"), env, produce...), c.want...)
			consume := append([]string{"consume", "--from", "kafka:" + topic, "--stop", "end"}, c.args...)
			refused(t, a.run(t, nil, env, consume...), c.want...)
		})
	}
	if r := a.run(t, nil, nil, "topic", "ls", "-b", ssl, "--tls-ca", stranger); r.status != 2 {
		t.Errorf("a file without a certificate: status %d, want 2: %s", r.status, r.errs)
	}
}

// testReadOnly: ann may read a topic but not write to it, and another she may
// not even read.
func testReadOnly(t *testing.T, a *apache) {
	topic, secret := a.topic(t, 1), a.topic(t, 1)
	a.deny(t, topic, kadm.OpWrite)
	a.deny(t, secret, kadm.OpRead)
	for _, name := range []string{topic, secret} {
		a.logctl(t, strings.NewReader("one\n"), "produce", "--to", "kafka:"+name)
	}
	ann := []string{"-b", a.addrs[1], "--sasl", "PLAIN", "--user", "ann"}
	env := []string{"LOGCTL_PASSWORD=secret"}
	says := []string{topic, `user "ann" may not`, "ACL"}
	refused(t, a.run(t, strings.NewReader("two\n"), env, append(ann, "produce", "--to", "kafka:"+topic)...), says...)
	if r := a.run(t, nil, env, append(ann, "consume", "--from", "kafka:"+topic, "--stop", "end")...); r.out != "one\n" {
		t.Errorf("read %q: %s", r.out, r.errs)
	}
	says[0] = secret
	refused(t, a.run(t, nil, env, append(ann, "consume", "--from", "kafka:"+secret, "--stop", "end")...), says...)
	refused(t, a.run(t, nil, env, append(ann, "consume", "--from", "kafka:"+secret, "--group", "g")...), says...)
}

// deny forbids ann an operation on a topic.
func (a *apache) deny(t *testing.T, topic string, op kadm.ACLOperation) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(a.addrs[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	acl := kadm.NewACLs().Deny("User:ann").DenyHosts("*").ResourcePatternType(kadm.ACLPatternLiteral).Topics(topic).
		Operations(op)
	everyone := kadm.NewACLs().Allow("User:*").AllowHosts("*").ResourcePatternType(kadm.ACLPatternLiteral).Topics(topic).
		Operations(kadm.OpAll)
	for _, b := range []*kadm.ACLBuilder{acl, everyone} {
		made, err := kadm.NewClient(client).CreateACLs(t.Context(), b)
		if err == nil && made[0].Err != nil {
			err = made[0].Err
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// testTopicMissing: the nearest name is said.
func testTopicMissing(t *testing.T, a *apache) {
	topic := a.topic(t, 1)
	near := strings.Replace(topic, "Missing", "Mising", 1)
	for _, args := range [][]string{
		{"produce", "--to", "kafka:" + near},
		{"consume", "--from", "kafka:" + near},
		{"window", "--size", "1m", "--from", "kafka:" + near},
		{"topic", "describe", near},
	} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			refused(t, a.run(t, strings.NewReader("one\n"), nil, args...), `"`+near+`" does not exist`, topic)
		})
	}
}

// testTooLarge: a record that is too large for its topic is set aside with
// --dlq, and the others go on; without, it is said.
func testTooLarge(t *testing.T, a *apache) {
	topic := a.topic(t, 1)
	a.logctl(t, nil, "topic", "alter", topic, "--topic-config", "max.message.bytes=2000")
	long := strings.Repeat("0123456789abcdef", 1000)
	input := "one\n" + long + "\ntwo\n"
	dead := filepath.Join(t.TempDir(), "dead")
	r := a.run(t, strings.NewReader(input), nil, "produce", "-z", "none", "--to", "kafka:"+topic, "--dlq", dead)
	if r.status != 0 {
		t.Fatalf("status %d\n%s", r.status, r.errs)
	}
	letters, err := os.ReadFile(dead)
	if err != nil {
		t.Fatal(err)
	}
	got := string(letters)
	if strings.Count(got, "\n") != 1 || !strings.Contains(got, long) || !strings.Contains(got, "max.message.bytes") {
		t.Errorf("dead letters: %.500s", got)
	}
	if got := a.logctl(t, nil, "consume", "--from", "kafka:"+topic, "--stop", "end"); got != "one\ntwo\n" {
		t.Errorf("read %.100q", got)
	}
	r = a.run(t, strings.NewReader(input), nil, "produce", "-z", "none", "--to", "kafka:"+topic)
	refused(t, r, "stdin:2", "too large", "--dlq")
}
