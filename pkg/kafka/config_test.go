package kafka_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
)

func TestBrokerDown(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent := l.Addr().String() // it takes connections and says nothing
	defer l.Close()
	for _, addr := range []string{silent, nobody} {
		began := time.Now()
		err := kafka.Config{Brokers: []string{addr}}.Ping(t.Context())
		if err == nil || !strings.Contains(err.Error(), addr) || fault.HintOf(err) == "" {
			t.Errorf("error %v, hint %q", err, fault.HintOf(err))
		}
		if d := time.Since(began); d > 30*time.Second {
			t.Errorf("it took %v", d)
		}
	}
}

func TestSASL(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		cfg, _ := cluster(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "ann", "secret"))
		cfg.SASL = kafka.SASL{Mechanism: strings.ToLower(mechanism), User: "ann", Password: "secret"}
		if err := cfg.Ping(t.Context()); err != nil {
			t.Errorf("%s: %v", mechanism, err)
		}
		cfg.SASL.Password = "wr0ng"
		err := cfg.Ping(t.Context())
		if err == nil || !strings.Contains(err.Error(), `user "ann"`) || strings.Contains(err.Error(), "wr0ng") ||
			!strings.Contains(fault.HintOf(err), "--password-file") {
			t.Errorf("%s, wrong password: %v, hint %q", mechanism, err, fault.HintOf(err))
		}
		cfg.SASL = kafka.SASL{}
		if err := cfg.Ping(t.Context()); err == nil || !strings.Contains(fault.HintOf(err), "--sasl") {
			t.Errorf("%s, without a login: %v, hint %q", mechanism, err, fault.HintOf(err))
		}
	}
	for want, login := range map[string]kafka.SASL{
		"unknown SASL mechanism":           {Mechanism: "KERBEROS", User: "ann", Password: "secret"},
		"SASL PLAIN needs a user":          {Mechanism: "PLAIN", Password: "secret"},
		`needs the password of user "ann"`: {Mechanism: "PLAIN", User: "ann"},
	} {
		err := kafka.Config{SASL: login}.Ping(t.Context())
		if fault.Status(err) != fault.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// certificate writes a self-signed certificate for 127.0.0.1 and its key.
func certificate(t *testing.T) (cert tls.Certificate, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert, file := certificate(t)
	cfg, _ := cluster(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	for want, conf := range map[string]kafka.TLS{
		"":         {Enable: true, CA: file},
		"--tls-ca": {Enable: true},
		"--tls":    {},
	} {
		cfg.TLS = conf
		err := cfg.Ping(t.Context())
		if want == "" && err != nil || !strings.Contains(fault.HintOf(err), want) {
			t.Errorf("%+v: %v, hint %q", conf, err, fault.HintOf(err))
		}
	}
	strict, _ := cluster(t, kfake.TLS(&tls.Config{
		Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13,
	}))
	strict.TLS = kafka.TLS{Enable: true, CA: file}
	if err := strict.Ping(t.Context()); err == nil || !strings.Contains(fault.HintOf(err), "--tls-cert") {
		t.Errorf("without the certificate that the broker wants: %v, hint %q", err, fault.HintOf(err))
	}
	bare, _ := cluster(t)
	bare.TLS = kafka.TLS{Enable: true, CA: file}
	if err := bare.Ping(t.Context()); err == nil || fault.HintOf(err) == "" {
		t.Errorf("TLS to a broker without: %v, hint %q", err, fault.HintOf(err))
	}
	for _, bad := range []kafka.TLS{{Enable: true, CA: "none.pem"}, {Enable: true, CA: "config_test.go"}, {Enable: true, Cert: file}} {
		if err := (kafka.Config{TLS: bad}).Ping(t.Context()); fault.Status(err) != fault.Usage {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
