package main

import (
	"os"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/stream"
)

// passwordVariable has the SASL password. It has no flag, which would show it in the
// list of processes.
const passwordVariable = envPrefix + "PASSWORD"

// kafkaFlags say how to reach a cluster. Every command that speaks Kafka has
// them.
type kafkaFlags struct {
	brokers      []string
	tls          bool
	tlsCA        string
	tlsCert      string
	tlsKey       string
	sasl         string
	user         string
	passwordFile string
}

func (f *kafkaFlags) add(fs *pflag.FlagSet) {
	fs.StringSliceVarP(&f.brokers, "brokers", "b", []string{"127.0.0.1:9092"}, "Kafka's `ADDRESSES`")
	fs.BoolVar(&f.tls, "tls", false, "speak TLS with Kafka")
	fs.StringVar(&f.tlsCA, "tls-ca", "", "trust the authorities in `FILE` (PEM)")
	fs.StringVar(&f.tlsCert, "tls-cert", "", "show the certificate in `FILE` (PEM)")
	fs.StringVar(&f.tlsKey, "tls-key", "", "and its key in `FILE` (PEM)")
	choiceVar(fs, &f.sasl, "sasl", kafka.Mechanisms, "SASL `MECHANISM`: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	fs.StringVar(&f.user, "user", "", "SASL user `NAME`")
	fs.StringVar(&f.passwordFile, "password-file", "",
		"SASL password: the first line of `FILE` (or the environment "+passwordVariable+")")
}

// config returns the connection, with the endpoint's own addresses if it has
// some.
func (f *kafkaFlags) config(e stream.Endpoint) (kafka.Config, error) {
	brokers := f.brokers
	if len(e.Brokers) > 0 {
		brokers = e.Brokers
	}
	password, err := readSecret(f.passwordFile)
	if err != nil {
		return kafka.Config{}, err
	}
	if password == "" {
		password = os.Getenv(passwordVariable)
	}
	return kafka.Config{
		Brokers: brokers, ClientID: "logctl",
		TLS:  kafka.TLS{Enable: f.tls || f.tlsCA != "" || f.tlsCert != "", CA: f.tlsCA, Cert: f.tlsCert, Key: f.tlsKey},
		SASL: kafka.SASL{Mechanism: f.sasl, User: f.user, Password: password},
	}, nil
}
