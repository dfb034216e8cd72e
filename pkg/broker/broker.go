// Package broker is a Kafka-compatible broker inside the process, so that all
// of logctl can be tried and tested with nothing installed. It wraps
// franz-go's kfake, keeps the data on disk, and mends what would hurt on a
// laptop:
//
//   - a guard drops connections that do not speak Kafka: kfake panics on an
//     unknown API key and allocates whatever size a frame claims;
//   - the least versions of Produce and SaslHandshake are advertised as 0, as
//     Apache Kafka 4 does: librdkafka before 2.8 otherwise sends uncompressed
//     and cannot authenticate;
//   - partitions are served in turn, however large their batches are;
//   - a member that is killed while it joins its group leaves it at once;
//   - retention runs every 30 s, after a restart too;
//   - a topic that a client asks for is on disk before it can be written to;
//   - the answers to fetches have a bound together, whatever clients ask for, and who
//     does not take them is hung up on;
//   - the stored bytes have a limit, because a start reads all of them;
//   - a directory has one owner, and no password stays in it;
//   - bytes that have changed on the disk are an error, not the end of the log;
//   - producers are refused before the disk is full, and where something cannot be
//     written all the same, nothing is acknowledged any more: the broker has failed.
//
// What it does not mend: idempotent producers that live through a kill -9 of
// the broker may write duplicates (transactions do not); records that
// retention removed since the last clean stop may be back after a kill -9; a
// log is never compacted by itself, since a kill -9 during it loses keys (see
// Compact); errors of fsync are not seen.
package broker

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// Notice is what a command that starts a broker says on stderr.
const Notice = "this embedded broker is for development and single nodes: one process, one copy of the data"

// Defaults of the fields of Config.
const (
	DefaultAddr       = ":9092"
	DefaultPartitions = 4
	DefaultMaxBytes   = 4 << 30
)

// maxBrokers bounds how many consecutive ports one broker takes.
const maxBrokers = 64

// A Config says how to run a broker. The zero value is one node on
// 127.0.0.1:9092 whose data is gone when it closes.
type Config struct {
	// Addr is the host:port of the first node; the others take the ports
	// that follow. No host means loopback, port 0 any free port for each.
	// The host is also what clients are told, except that for 0.0.0.0 and
	// [::] they are told the name of this machine. "" means DefaultAddr.
	Addr string

	// Brokers is the number of nodes, all in this process. 0 means 1.
	Brokers int

	// Data is the directory of the logs, made if it is missing. It is
	// locked, and closed to other users. "" means one of its own, removed by
	// Close.
	Data string

	// Fsync syncs every batch before it is acknowledged, so that
	// acknowledged records survive the loss of power. Without it they
	// survive the death of the process.
	Fsync bool

	// MaxBytes limits the bytes on disk. Beyond it producers are refused
	// with POLICY_VIOLATION until retention (which frees whole segments of
	// 100 MiB), or the removal of records or topics, has made room; nothing
	// stored is dropped for it. The measure is up to 30 s old and errs on
	// the side of refusing. 0 means DefaultMaxBytes, less than 0 no limit.
	MaxBytes int64

	// Partitions is the number of partitions of a topic that is created
	// without one. 0 means DefaultPartitions.
	Partitions int

	// NoAutoCreate refuses clients that ask for a missing topic to be made.
	NoAutoCreate bool

	// Users may log in, with PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, and all
	// are superusers. None means no authentication, on loopback only. They are never taken
	// from Data: users that a client adds last until the broker stops.
	Users []User

	// TLS, if not nil, is spoken on every listener.
	TLS *tls.Config

	// Log takes the warnings of the broker. nil discards them.
	Log *slog.Logger

	upkeep  upkeepEvery   // tests shorten it
	reserve int64         // see room; tests set it
	stands  time.Duration // see guard.send; tests set it
}

// A Broker is a running broker. Its methods may be called concurrently.
type Broker struct {
	cluster *kfake.Cluster
	members atomic.Pointer[kfake.Cluster] // cluster, for connections that are there before it is
	dir     *dataDir
	addrs   []string
	quota   *quota
	readers readers
	bodies  *bodies
	creator *creator
	log     *slog.Logger
	stop    context.CancelFunc // of the upkeep
	done    chan struct{}      // closed when the upkeep has ended
	failure *failure
	close   sync.Once
	err     error // of Close
}

// Start starts a broker and returns when it answers. It runs until ctx is done
// or Close is called; the caller calls Close in either case.
//
// Reading existing data takes about 2 s a GiB after a clean stop and, after a
// kill -9, 5 s and 1 GiB of memory a GiB; the memory is given back.
func Start(ctx context.Context, cfg Config) (*Broker, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("starting the broker: %w", err)
	}
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	at, err := parseAddr(cfg.Addr, cfg.Brokers)
	if err != nil {
		return nil, err
	}
	if len(cfg.Users) == 0 && !stream.Loopback(at.host) {
		return nil, fault.Usagef("add --users-file FILE, or listen on 127.0.0.1",
			"refusing to listen on %q for everyone without users", cfg.Addr)
	}
	dir, err := openDataDir(cfg.Data)
	if err != nil {
		return nil, err
	}
	b := &Broker{
		dir: dir, quota: newQuota(cfg.MaxBytes), bodies: newBodies(maxBodies), creator: newCreator(), log: cfg.Log,
		done: make(chan struct{}), failure: newFailure(),
	}
	if err := b.start(cfg, at); err != nil {
		_ = dir.close() // the first error is the one to tell
		return nil, err
	}
	ctx, b.stop = context.WithCancel(ctx)
	go b.upkeep(ctx, cfg.upkeep.duration())
	context.AfterFunc(ctx, func() { _ = b.Close() }) // Close keeps its error for the caller
	return b, nil
}

func (c Config) withDefaults() (Config, error) {
	if c.Addr == "" {
		c.Addr = DefaultAddr
	}
	if c.Brokers == 0 {
		c.Brokers = 1
	}
	if c.Partitions == 0 {
		c.Partitions = DefaultPartitions
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = DefaultMaxBytes
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Brokers < 1 || c.Brokers > maxBrokers {
		return c, fault.Usagef("", "nodes: %d is not between 1 and %d", c.Brokers, maxBrokers)
	}
	if c.Partitions < 1 {
		return c, fault.Usagef("", "partitions: %d is less than 1", c.Partitions)
	}
	return c, nil
}

// start runs the cluster and waits until it answers.
func (b *Broker) start(cfg Config, at address) error {
	if err := b.dir.verify(); err != nil {
		return fmt.Errorf("reading the broker's data: %w", err)
	}
	id, err := b.dir.clusterID()
	if err != nil {
		return err
	}
	cluster, err := kfake.NewCluster(append(b.options(cfg, at), kfake.ClusterID(id))...)
	if err != nil {
		return fmt.Errorf("starting the broker on %s: %w", cfg.Addr, err)
	}
	b.cluster = cluster
	b.members.Store(cluster)
	b.addrs = cluster.ListenAddrs()
	space := room{dir: b.dir.path, reserve: cfg.reserve, log: b.log}
	cluster.Fault(b.absence(), b.quota.fault(), space.fault(), badNames(), noSessions(), b.readers.bound())
	if !cfg.NoAutoCreate {
		cluster.Fault(b.creator.fault())
	}
	debug.FreeOSMemory() // the start has read all data
	if err := errors.Join(b.dir.removeSecrets(), b.measure()); err != nil {
		cluster.Close()
		return err
	}
	return nil
}

func (b *Broker) options(cfg Config, at address) []kfake.Opt {
	opts := []kfake.Opt{
		at.option(),
		kfake.ListenFn(at.listen(cfg.TLS, b.guards(cfg.stands), b.log)),
		kfake.DataDir(b.dir.path),
		kfake.DefaultNumPartitions(cfg.Partitions),
		kfake.WithLogger(logger{cfg.Log, b.failure}),
		kfake.BrokerConfigs(map[string]string{"log.cleaner.backoff.ms": strconv.FormatInt(neverMillis, 10)}),
	}
	if cfg.Fsync {
		opts = append(opts, kfake.SyncWrites())
	}
	if len(cfg.Users) > 0 {
		opts = append(opts, kfake.EnableSASL())
	}
	for _, u := range cfg.Users {
		for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
			opts = append(opts, kfake.Superuser(mechanism, u.Name, u.Password))
		}
	}
	return opts
}

// guards returns what makes the guard of a connection, whose client may stand for so
// long without taking its answer.
func (b *Broker) guards(stands time.Duration) func(net.Conn) *guard {
	return func(conn net.Conn) *guard {
		return &guard{
			Conn: conn, quota: b.quota, readers: &b.readers, bodies: b.bodies, stands: cmp.Or(stands, time.Minute),
			parting: parting{knows: b.knows, hangUp: conn.Close},
		}
	}
}

// knows reports whether a member is in a group.
func (b *Broker) knows(group, member string) bool {
	cluster := b.members.Load()
	if cluster == nil {
		return true
	}
	g := cluster.GroupInfo(group)
	return g != nil && slices.ContainsFunc(g.Members, func(m kfake.GroupMember) bool { return m.MemberID == member })
}

// Addrs returns the host:port of each node, as clients are told them.
func (b *Broker) Addrs() []string { return b.addrs }

// Dir returns the directory of the data.
func (b *Broker) Dir() string { return b.dir.path }

// Stored returns the bytes on disk, measured at most 30 s ago, and what
// producers have sent since then.
func (b *Broker) Stored() int64 { return b.quota.stored.Load() }

// Close stops the broker, saves its state, and removes the directory if it was
// the broker's own. Clients see their connections close. Further calls wait
// for the first and return its error. One that has failed is left as it stands on
// the disk, as by a kill -9: it is the end of the process.
func (b *Broker) Close() error {
	b.close.Do(func() {
		b.stop()
		err := b.failure.within(func() {
			<-b.done // a call into a closed cluster would wait for ever
			b.cluster.Close()
		})
		if err == nil && !b.dir.temp {
			err = b.dir.seal()
		}
		b.err = errors.Join(err, b.dir.close())
	})
	return b.err
}
