// Package kafka is the door to Kafka: a source and a sink of records, and the
// administration of topics, over franz-go. No other package but pkg/broker
// knows that library.
//
// Errors that leave the package say what was asked of whom, why it failed and,
// where there is something to do about it, carry a hint (see package fault).
// Secrets are in none of them.
package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/logctl/logctl/pkg/fault"
)

// A Config says how to reach a cluster. The zero value of a field is its
// default.
type Config struct {
	Brokers     []string      // host:port; by default 127.0.0.1:9092
	ClientID    string        // what brokers log; by default logctl
	DialTimeout time.Duration // of one connection and the first answer on it; by default 4 s
	TLS         TLS
	SASL        SASL

	mutes *mutes // nil where each address is tried again and again
}

// TLS says whether and how connections are encrypted.
type TLS struct {
	Enable             bool
	CA                 string // file of the certificates to trust; by default the system's
	Cert, Key          string // files of the client's own certificate
	InsecureSkipVerify bool   // take any certificate: for tests
}

// SASL says who connects. The password has been read from a file or from the
// environment.
type SASL struct {
	Mechanism string // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; "" for none
	User      string
	Password  string
}

// Mechanisms are the ways to log in that are known.
var Mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}

// defaultBroker is where a broker listens when nobody says otherwise.
const defaultBroker = "127.0.0.1:9092"

// reachWithin is how long a command waits for the first answer of a cluster, for each
// address that it may come from: they are tried one behind the other.
const reachWithin = 5 * time.Second

// askWithin is how long the client asks again where a broker does not answer. Behind that,
// a command says what is wrong.
const askWithin = 2 * reachWithin

// brokers returns the addresses to try.
func (c Config) brokers() []string {
	if len(c.Brokers) == 0 {
		return []string{defaultBroker}
	}
	return c.Brokers
}

// addr returns the addresses for messages.
func (c Config) addr() string { return strings.Join(c.brokers(), ",") }

// Options returns the client options that c stands for. It reads the files of
// certificates.
func (c Config) Options() ([]kgo.Opt, error) {
	id, dial := c.ClientID, c.DialTimeout
	if id == "" {
		id = "logctl"
	}
	if dial == 0 {
		dial = 4 * time.Second
	}
	seeds, err := c.seeds()
	if err != nil {
		return nil, err
	}
	var conf *tls.Config
	if c.TLS.Enable {
		if conf, err = c.TLS.config(); err != nil {
			return nil, err
		}
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(seeds...),
		kgo.Dialer(dialer(conf, dial, c.mutes)),
		kgo.ClientID(id),
		kgo.SoftwareNameAndVersion("logctl", "1"),
		kgo.DisableClientMetrics(),
		kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.MetadataMaxAge(freshEvery),
		// What is wrong with the settings, ping finds out, which tries once. Later it is a node that dies.
		kgo.AlwaysRetryEOF(),
		kgo.MaxDecompressBatchBytes(largestBatch),
	}
	mechanism, err := c.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	if mechanism != nil {
		opts = append(opts, kgo.SASL(mechanism))
	}
	return opts, nil
}

func (t TLS) config() (*tls.Config, error) {
	conf := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: t.InsecureSkipVerify, //nolint:gosec // for tests, as the field says
	}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fault.Usagef("--tls-ca takes a file of certificates in PEM", "certificates to trust: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.Usagef("--tls-ca takes a file of certificates in PEM", "%s: no certificate in it", t.CA)
		}
	}
	if (t.Cert == "") != (t.Key == "") {
		return nil, fault.Usagef("give both --tls-cert and --tls-key",
			"a client certificate needs its key, and a key its certificate")
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fault.Usagef("--tls-cert and --tls-key take files in PEM", "client certificate: %w", err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return conf, nil
}

func (s SASL) mechanism() (sasl.Mechanism, error) {
	switch {
	case s.Mechanism != "" && s.User == "":
		return nil, fault.Usagef("as in --user ann", "SASL %s needs a user", s.Mechanism)
	case s.Mechanism != "" && s.Password == "":
		return nil, fault.Usagef("--password-file FILE, or LOGCTL_PASSWORD in the environment",
			"SASL %s needs the password of user %q", s.Mechanism, s.User)
	}
	login := scram.Auth{User: s.User, Pass: s.Password}
	switch strings.ToUpper(s.Mechanism) {
	case "":
		return nil, nil
	case "PLAIN":
		return plain.Auth{User: s.User, Pass: s.Password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return login.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return login.AsSha512Mechanism(), nil
	default:
		return nil, fault.Usagef("one of "+strings.Join(Mechanisms, ", "), "unknown SASL mechanism %q", s.Mechanism)
	}
}

// Ping returns nil when one of the brokers answers, and within five seconds for each
// why none does.
func (c Config) Ping(ctx context.Context) error {
	client, err := c.open(ctx)
	if err == nil {
		client.Close()
	}
	return err
}

// open returns a client whose cluster has answered.
func (c Config) open(ctx context.Context, more ...kgo.Opt) (*kgo.Client, error) {
	opts, err := c.Options()
	if err != nil {
		return nil, err
	}
	var l link
	client, err := kgo.NewClient(append(opts, append(more, kgo.WithHooks(&l))...)...)
	if err != nil {
		return nil, err
	}
	patience := time.Duration(len(c.brokers()))*reachWithin - time.Second/2
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer := make(chan error, 1)
	go func() { answer <- c.ping(ctx, client) }() // it looks at ctx only between its steps
	select {
	case err = <-answer:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if _, why := l.down(); why != nil && errors.Is(err, context.DeadlineExceeded) {
		err = why
	}
	if err != nil {
		go client.Close() // it may wait as long as that step
		return nil, c.explain(err, "")
	}
	return client, nil
}

// ping waits for the first answer. Where there are several brokers, one that dies
// while it is asked is not the end: the others are asked.
func (c Config) ping(ctx context.Context, client *kgo.Client) error {
	for {
		err := client.Ping(ctx)
		var eof *kgo.ErrFirstReadEOF
		if len(c.brokers()) < 2 || !errors.As(err, &eof) || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}
