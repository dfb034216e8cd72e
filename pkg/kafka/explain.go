package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/fault"
)

// explain turns an error of the client or of a broker into one for people: what
// was asked of whom, and what to try. topic is what it was about, or "".
func (c Config) explain(err error, topic string) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if several, ok := errors.AsType[*kadm.ShardErrors](err); ok {
		err = several.Errs[0].Err // it was asked of many; what one says is enough
	}
	if said := c.explainConnection(err); said != nil {
		return said
	}
	if said := c.explainRefusal(err, topic); said != nil {
		return said
	}
	if batch, ok := errors.AsType[*kgo.ErrDecompressTooLarge](err); ok {
		return fmt.Errorf("topic %q, partition %d: %s", batch.Topic, batch.Partition,
			takesTooMuch(batch.Offset, batch.NextOffset-1, largestBatch))
	}
	if topic != "" {
		return fmt.Errorf("topic %q: %w", topic, err)
	}
	return fmt.Errorf("kafka at %s: %w", c.addr(), err)
}

// unreachable says that no broker answers.
type unreachable struct{ error }

// Unwrap returns the error itself.
func (u unreachable) Unwrap() error { return u.error }

// Unreachable reports whether an error says that no broker answers, which may
// change by itself.
func Unreachable(err error) bool { return errors.As(err, new(unreachable)) }

// explainConnection explains why there is no talking to a broker; nil where err
// is about something else.
func (c Config) explainConnection(err error) error {
	if said := c.explainLogin(err); said != nil {
		return said
	}
	if said := c.explainTLS(err); said != nil {
		return said
	}
	var (
		firstEOF   *kgo.ErrFirstReadEOF
		broken     *net.OpError
		foreign    *foreignError
		unknown    *net.DNSError
		where, at  = c.where(err)
		connection = fmt.Errorf("%s: %w", where, cause(err))
	)
	switch {
	case errors.As(err, &foreign) && foreign.speaksTLS():
		return fault.Hint(fmt.Errorf("%s: it speaks TLS on this port", where),
			"try --tls, with --tls-ca for an authority of your own")
	case errors.As(err, &foreign):
		return fault.Hint(connection, "check the port; if it is that of a broker, --tls")
	case at != "" && (errors.As(err, &broken) || errors.Is(err, io.EOF) || errors.Is(err, context.DeadlineExceeded)):
		return fault.Hint(unreachable{connection},
			"is it down? If not, its advertised.listeners name an address that does not lead to it from here")
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return fault.Hint(unreachable{connection}, "check how the name is written, and that this machine can look it up")
	case errors.As(err, &firstEOF), errors.Is(err, errHungUp), c.SASL.Mechanism != "" && errors.Is(err, io.EOF):
		return c.closed(err)
	case errors.Is(err, errMute):
		return fault.Hint(unreachable{connection},
			"check the port and --brokers; it may be that of something else, or a proxy to nobody")
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Hint(unreachable{fmt.Errorf("no answer from kafka at %s in time", c.addr())},
			"check the address and --brokers; `logctl broker` starts a broker on this machine")
	case errors.As(err, &broken) && broken.Op == "dial":
		return fault.Hint(unreachable{connection}, "is a broker running there? `logctl broker` starts one on this machine")
	case errors.As(err, &broken), errors.Is(err, io.EOF):
		return fault.Hint(unreachable{fmt.Errorf("the connection to kafka at %s broke: %w", c.addr(), err)},
			"the broker, or something on the way to it, ended it")
	}
	return nil
}

// explainLogin explains why a broker lets nobody in; nil where err is about something else.
func (c Config) explainLogin(err error) error {
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return fault.Hint(fmt.Errorf("kafka at %s refused user %q (%s)", c.addr(), c.SASL.User, c.SASL.Mechanism),
			"check --user, the password (--password-file or LOGCTL_PASSWORD) and --sasl")
	case errors.Is(err, kerr.IllegalSaslState) && c.SASL.Mechanism != "":
		return fault.Hint(fmt.Errorf("kafka at %s wants nobody to log in on this port", c.addr()),
			"leave --sasl out, or use the port for it")
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fault.Hint(fmt.Errorf("kafka at %s does not take SASL mechanism %q", c.addr(), c.SASL.Mechanism),
			"try another --sasl: "+strings.Join(Mechanisms, ", "))
	}
	return nil
}

// where says, for the beginning of a message, which connection an error is of. at is
// its address, if a broker has named it and not the user.
func (c Config) where(err error) (said, at string) {
	peer, known := errors.AsType[*peerError](err)
	if !known || c.names(peer.addr) {
		return "connecting to kafka at " + c.addr(), ""
	}
	return fmt.Sprintf("connecting to the broker at %s, which kafka at %s names", peer.addr, c.addr()), peer.addr
}

// cause returns what is wrong, without whose it is and what the layers above say.
func cause(err error) error {
	if peer, ok := errors.AsType[*peerError](err); ok {
		err = peer.err
	}
	if known, ok := errors.AsType[*barred](err); ok {
		err = known.why
	}
	if errors.Is(err, errMute) {
		return errMute // that the time is over is said
	}
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		return dial.Err
	}
	return err
}

// explainTLS explains why a connection is not made safe; nil where err is about
// something else.
func (c Config) explainTLS(err error) error {
	var (
		unknownCA x509.UnknownAuthorityError
		wrongHost x509.HostnameError
		notTLS    tls.RecordHeaderError
		invalid   x509.CertificateInvalidError
		remote    *net.OpError
	)
	where, _ := c.where(err)
	connection := fmt.Errorf("%s: %w", where, cause(err))
	switch {
	case errors.As(err, &unknownCA):
		return fault.Hint(connection, "name the file of the authority's certificate with --tls-ca")
	case errors.As(err, &wrongHost):
		return fault.Hint(connection, "use the name that the broker's certificate is for")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fault.Hint(connection, "the broker needs a new certificate, or this machine's clock is wrong")
	case errors.As(err, &invalid):
		return fault.Hint(connection, "the broker needs another certificate")
	case errors.Is(err, errNoTLS):
		return fault.Hint(unreachable{connection},
			"it may not speak TLS on this port: then leave --tls out, or use its TLS port")
	case errors.As(err, &notTLS):
		return fault.Hint(connection, "the broker does not speak TLS on this port: leave --tls out, or use its TLS port")
	case errors.As(err, &remote) && remote.Op == "remote error":
		return c.refusedTLS(fmt.Errorf("%s: it ended the handshake: %w", where, remote.Err))
	}
	return nil
}

// refusedTLS says what to do about an alert of the broker. With TLS 1.3 that the client has
// no certificate, or the wrong one, is said in answer to its first request.
func (c Config) refusedTLS(err error) error {
	switch said := err.Error(); {
	case !strings.Contains(said, "certificate") && !strings.Contains(said, "handshake failure"):
		return err
	case c.TLS.Cert == "":
		return fault.Hint(err, "it may want a certificate of yours: --tls-cert and --tls-key")
	default:
		return fault.Hint(err, "is the certificate in --tls-cert of an authority that the broker trusts, and still valid?")
	}
}

// closed says that a broker hung up at once, and guesses why.
func (c Config) closed(why error) error {
	login := c.SASL.Mechanism != ""
	err := fmt.Errorf("kafka at %s closed the connection at the first request", c.addr())
	if login {
		err = fmt.Errorf("kafka at %s closed the connection when user %q logged in (%s)",
			c.addr(), c.SASL.User, c.SASL.Mechanism)
	}
	if errors.As(why, new(*net.OpError)) {
		err = unreachable{err} // it was cut, as by a machine that has no such broker any more
	}
	switch {
	case login && c.TLS.Enable:
		return fault.Hint(err, "check --user, the password (--password-file or LOGCTL_PASSWORD) and --sasl")
	case login:
		return fault.Hint(err, "check --user, the password (--password-file or LOGCTL_PASSWORD) and --sasl; "+
			"or it wants --tls, or no --sasl")
	case c.TLS.Enable:
		return fault.Hint(err, "it may want --sasl or --tls-cert, or not speak TLS on this port: then leave --tls out")
	default:
		return fault.Hint(err, "it may want --tls or --sasl; or no broker listens there, but something else")
	}
}

// explainRefusal explains why a broker did not do what it was asked; nil where
// err is about something else.
func (c Config) explainRefusal(err error, topic string) error {
	who := c.SASL.User
	if who == "" {
		who = "anonymous"
	}
	switch {
	case errors.Is(err, kerr.UnknownTopicID):
		return topicGone(topic)
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return unknownTopic(topic, nil)
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return fault.Hint(fmt.Errorf("topic %q: user %q may not do this (topic authorization failed)", topic, who),
			"ask for an ACL: Read to consume, Write to produce, Describe for both")
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return fault.Hint(fmt.Errorf("user %q may not use this consumer group (group authorization failed)", who),
			"ask for an ACL that allows Read on the group")
	case errors.Is(err, kerr.ClusterAuthorizationFailed):
		return fault.Hint(fmt.Errorf("user %q may not do this (cluster authorization failed)", who),
			"ask for an ACL on the cluster; for idempotent writes, IdempotentWrite")
	case errors.Is(err, kerr.TransactionalIDAuthorizationFailed):
		return fault.Hint(fmt.Errorf("user %q may not use this transactional id", who),
			"ask for an ACL on the transactional id")
	case errors.Is(err, kerr.ProducerFenced), errors.Is(err, kerr.InvalidProducerEpoch):
		return fault.Hint(fmt.Errorf("topic %q: this transactional id was taken over by another process, "+
			"or this one was stopped for longer than a transaction may take: %w", topic, err),
			"start it again; two that run at a time need different ids")
	case errors.Is(err, kerr.FencedInstanceID), errors.Is(err, kerr.UnreleasedInstanceID):
		return fault.Hint(takenBy{errors.New("another member of the group uses this instance id")},
			"give each member its own --instance-id")
	case errors.Is(err, kerr.InvalidSessionTimeout):
		return fault.Hint(errors.New("the brokers do not allow this --session-timeout"),
			"6s to 30m, unless their group.min.session.timeout.ms and group.max.session.timeout.ms say otherwise")
	case errors.Is(err, kerr.InconsistentGroupProtocol):
		return fault.Hint(errors.New("the members of the group do not agree on a balancer"),
			"give all members the same --balancer")
	}
	return nil
}

// unknownTopic says that there is no such topic, and which one is alike.
func unknownTopic(topic string, known []string) error {
	hint := fmt.Sprintf("`logctl topic create %s` creates it", topic)
	near := fault.DidYouMean(topic, known)
	if near != "" {
		hint = near + " " + hint
	}
	return fault.Hint(missingTopic{fmt.Errorf("topic %q does not exist", topic), near}, hint)
}

// A missingTopic says that there is no such topic; near names the one most like it, as a hint.
type missingTopic struct {
	error
	near string
}

// topicGone says that a topic, "" for one of several, is not what it was.
func topicGone(topic string) error {
	which := "a topic"
	if topic != "" {
		which = fmt.Sprintf("topic %q", topic)
	}
	return fault.Hint(fmt.Errorf("%s was removed, or made anew, while it was in use", which),
		"started again, the command takes the one that is there now, or says why it cannot go on with it")
}
