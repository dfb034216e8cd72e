package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/fault"
)

// selfSigned writes a certificate that is valid for a while from a time on, and its key.
func selfSigned(t *testing.T, from time.Time, valid time.Duration) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: from.Add(valid)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	for path, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestCertificateThatIsNotValid: whoever shows a certificate that clients refuse is told so.
// (Addresses for everyone are refused, so that those runs end.)
func TestCertificateThatIsNotValid(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		from time.Time
		want string
	}{
		{time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), "was valid until 2020-01-31T00:00:00Z: clients will refuse it"},
		{time.Date(2220, 1, 1, 0, 0, 0, 0, time.UTC), "is valid from 2220-01-01T00:00:00Z on: clients will refuse it"},
		{time.Now().Add(-day), ""},
	} {
		cert, key := selfSigned(t, c.from, 30*day)
		for _, args := range [][]string{
			{"broker", "--addr", "0.0.0.0:0", "--addr-cert", cert, "--addr-key", key},
			{"consume", "--from", os.DevNull, "--listen", "127.0.0.1:0", "--listen-cert", cert, "--listen-key", key},
			{"consume", "--from", "http:0.0.0.0:0", "--listen-cert", cert, "--listen-key", key},
		} {
			var out, errs bytes.Buffer
			run(args, strings.NewReader(""), &out, &errs)
			if said := strings.Contains(errs.String(), "refuse it"); said != (c.want != "") || !strings.Contains(errs.String(), c.want) {
				t.Errorf("%q: %s", args, errs.String())
			}
		}
	}
}

// TestHalfACertificate: a certificate and its key are given together, and can be read.
func TestHalfACertificate(t *testing.T) {
	cert, key := selfSigned(t, time.Now(), time.Hour)
	for _, c := range []certificate{
		{"listen", cert, ""},
		{"listen", "", key},
		{"listen", cert, "nowhere"},
		{"listen", key, cert},
	} {
		_, err := c.config()
		if fault.Status(err) != fault.Usage || !strings.Contains(fault.HintOf(err), "--listen-cert and --listen-key") {
			t.Errorf("%+v: %v, hint %q", c, err, fault.HintOf(err))
		}
	}
	if conf, err := (certificate{"listen", "", ""}).config(); conf != nil || err != nil {
		t.Errorf("none: %v, %v", conf, err)
	}
}
