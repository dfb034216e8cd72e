package broker_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/broker"
)

// frame is a request: its size, API key, version, correlation id and body.
func frame(size uint32, key, version int16, body string) []byte {
	b := binary.BigEndian.AppendUint32(nil, size)
	b = binary.BigEndian.AppendUint16(b, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, 7)
	return append(b, body...)
}

// send writes raw bytes, in pieces of at most step, and waits until the broker
// has hung up or has answered.
func send(t *testing.T, addr string, raw []byte, step int) (closed bool) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatalf("the broker is gone: %v", err)
	}
	defer conn.Close()
	for len(raw) > 0 {
		n := min(step, len(raw))
		if _, err := conn.Write(raw[:n]); err != nil {
			return true
		}
		raw = raw[n:]
	}
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	_, err = io.ReadFull(conn, make([]byte, 4))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("neither an answer nor the end of the connection")
	}
	return err != nil
}

func TestGuard(t *testing.T) {
	b := start(t, broker.Config{})
	addr := b.Addrs()[0]
	for name, raw := range map[string][]byte{
		"http":          []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		"tls":           []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
		"zeros":         make([]byte, 64),
		"unknown key":   frame(8, 1000, 0, ""),
		"negative key":  frame(8, -1, 0, ""),
		"4 GiB":         frame(1<<32-1, 18, 0, ""),
		"1 GiB":         frame(1<<30, 0, 3, "abc"),
		"tiny":          frame(7, 18, 0, ""),
		"second broken": append(frame(10, 18, 0, "\xff\xff"), frame(10, 9999, 0, "\xff\xff")...),
	} {
		for _, step := range []int{1 << 20, 1} {
			if closed := send(t, addr, raw, step); !closed && name != "second broken" {
				t.Errorf("%s in pieces of %d: the connection stayed open", name, step)
			}
		}
	}
	if closed := send(t, addr, frame(10, 18, 0, "\xff\xff"), 1); closed {
		t.Error("a good request was refused")
	}
	produce(t, client(t, addr), "alive")
}

func TestLeastVersions(t *testing.T) {
	b := start(t, broker.Config{})
	for version := int16(0); version <= 4; version++ {
		req := kmsg.NewPtrApiVersionsRequest()
		req.SetVersion(version)
		req.ClientSoftwareName, req.ClientSoftwareVersion = "test", "1"
		resp := roundTrip(t, b.Addrs()[0], req)
		least := map[kmsg.Key]int16{}
		for _, k := range resp.ApiKeys {
			least[kmsg.Key(k.ApiKey)] = k.MinVersion
		}
		if len(least) < 50 || least[kmsg.Produce] != 0 || least[kmsg.SASLHandshake] != 0 || least[kmsg.Fetch] == 0 {
			t.Errorf("version %d: %d keys, Produce from %d, SaslHandshake from %d, Fetch from %d", version, len(least),
				least[kmsg.Produce], least[kmsg.SASLHandshake], least[kmsg.Fetch])
		}
		if version >= 3 && len(resp.SupportedFeatures) == 0 {
			t.Errorf("version %d: the features are gone", version)
		}
	}
}

func roundTrip(t *testing.T, addr string, req *kmsg.ApiVersionsRequest) *kmsg.ApiVersionsResponse {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, 42)); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	head := make([]byte, 8)
	if _, err := io.ReadFull(conn, head); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, binary.BigEndian.Uint32(head)-4)
	if _, err := io.ReadFull(conn, body); err != nil {
		t.Fatal(err)
	}
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.SetVersion(req.GetVersion())
	if err := resp.ReadFrom(body); err != nil {
		t.Fatal(err)
	}
	return resp
}

// FuzzGuard sends bytes to a broker, which must answer another client after.
func FuzzGuard(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add(frame(10, 18, 0, "\xff\xff"))
	f.Add(frame(20, 0, 9, "\xff\xff\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09"))
	f.Add(append(frame(10, 3, 1, "\xff\xff"), frame(10, 94, 0, "\xff\xff")...))
	b, err := broker.Start(f.Context(), broker.Config{Addr: ":0"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = b.Close() })
	f.Fuzz(func(t *testing.T, raw []byte) {
		conn, err := net.Dial("tcp", b.Addrs()[0])
		if err != nil {
			t.Fatalf("the broker is gone: %v", err)
		}
		_, _ = conn.Write(raw)
		_ = conn.(*net.TCPConn).CloseWrite()
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_, _ = io.Copy(io.Discard, conn)
		conn.Close()
		req := kmsg.NewPtrApiVersionsRequest()
		roundTrip(t, b.Addrs()[0], req)
	})
}

// What a client only announces is not stored, and keeps nobody from being served.
func TestAnnouncedIsNotStored(t *testing.T) {
	b := start(t, broker.Config{MaxBytes: 1 << 20})
	for range 3 {
		conn, err := net.Dial("tcp", b.Addrs()[0])
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(frame(90<<20, int16(kmsg.Produce), 9, "half")); err != nil {
			t.Fatal(err)
		}
	}
	cl := client(t, b.Addrs()[0])
	for range 10 {
		produce(t, cl, "alive")
	}
	if n := b.Stored(); n == 0 || n > 1<<20 {
		t.Errorf("%d bytes count as stored", n)
	}
}
