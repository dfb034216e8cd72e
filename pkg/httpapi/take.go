package httpapi

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/logctl/logctl/pkg/human"
)

// A refusal is an answer other than 202.
type refusal struct {
	code  int
	Error string `json:"error"`
	Line  int    `json:"line,omitempty"` // where in the body, from 1
	Byte  int    `json:"byte,omitempty"` // in that line, from 1
	retry time.Duration
}

// take handles a request.
func (s *Intake) take(w http.ResponseWriter, r *http.Request) {
	p, no := s.admit(w, r)
	if no == nil {
		no = s.handOn(p, r)
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeWithin)) // not every server can
	if no == nil {
		s.counts.answer(http.StatusAccepted)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write(p.reply) // the caller may have gone
		return
	}
	s.counts.answer(no.code)
	if no.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(no.retry.Seconds()))))
	}
	JSON(w, no.code, no)
}

// writeWithin is how long a caller may take to read its answer.
const writeWithin = 30 * time.Second

// admit reads the records of a request.
func (s *Intake) admit(w http.ResponseWriter, r *http.Request) (*post, *refusal) {
	if no := s.shut(); no != nil {
		return nil, no
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, &refusal{code: http.StatusUnsupportedMediaType, Error: fmt.Sprintf("content encoding %q: want none", e)}
	}
	body, no := s.receive(w, r)
	defer s.held.Add(-int64(cap(body)))
	if no != nil {
		return nil, no
	}
	p, no := s.parse(body)
	if no == nil {
		no = s.pace(r, len(p.sizes))
	}
	return p, no
}

// parse returns the records of a body.
func (s *Intake) parse(body []byte) (*post, *refusal) {
	t := s.takers.Get().(*taker) // for this moment alone: many clients may be sending
	defer s.takers.Put(t)
	return t.parse(body)
}

// shut returns why nothing is taken for now, or nil.
func (s *Intake) shut() *refusal {
	select {
	case <-s.closed:
		return &refusal{code: http.StatusServiceUnavailable, Error: "shutting down", retry: time.Second}
	default:
	}
	if s.cfg.Closed != nil {
		if why, retry := s.cfg.Closed(); why != "" {
			return &refusal{code: http.StatusServiceUnavailable, Error: why, retry: max(retry, time.Second)}
		}
	}
	return nil
}

// receive reads a body. What all requests hold together is bounded: the memory
// for a body is taken as it comes, not as it is announced.
func (s *Intake) receive(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	from := http.MaxBytesReader(w, r.Body, s.cfg.MaxBody)
	first := int64(firstBody)
	if r.ContentLength >= 0 {
		first = min(r.ContentLength+1, first) // the end is seen with room for a byte more
	}
	body := make([]byte, 0, first)
	s.held.Add(first)
	conn, began := http.NewResponseController(w), time.Now()
	for {
		_ = conn.SetReadDeadline(began.Add(s.cfg.Patience + time.Duration(len(body))*(time.Second/slowestBody)))
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			_ = conn.SetReadDeadline(time.Time{}) // the caller may wait for its answer for longer
			return body, nil
		}
		if err != nil {
			return body, unread(err)
		}
		if len(body) < cap(body) {
			continue
		}
		if s.held.Add(int64(cap(body))) > s.cfg.Hold {
			s.held.Add(-int64(cap(body)))
			return body, &refusal{
				code: http.StatusServiceUnavailable, retry: time.Second,
				Error: "requests that wait hold all the memory that they may",
			}
		}
		body = append(make([]byte, 0, 2*cap(body)), body...)
	}
}

// slowestBody is how many bytes of a body have to come each second.
const slowestBody = 64 << 10

// firstBody is the memory that a body begins with.
const firstBody = 4 << 10

// unread says why a body could not be read.
func unread(err error) *refusal {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &refusal{
			code:  http.StatusRequestEntityTooLarge,
			Error: fmt.Sprintf("the body is larger than %s bytes", human.Whole(large.Limit)),
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &refusal{code: http.StatusRequestTimeout, Error: "the body came too slowly"}
	}
	return &refusal{code: http.StatusBadRequest, Error: "the body ended before it was whole"}
}

// pace takes the tokens of n records, waiting for them for as long as is
// allowed.
func (s *Intake) pace(r *http.Request, n int) *refusal {
	if s.cfg.Bucket == nil {
		return nil
	}
	wait, ok := s.cfg.Bucket.TakeWithin(time.Now().UnixNano(), int64(n), s.cfg.Wait)
	if !ok {
		s.counts.throttled.Add(int64(n))
		return &refusal{code: http.StatusTooManyRequests, Error: "more records than the rate allows", retry: wait}
	}
	if wait == 0 {
		return nil
	}
	select {
	case <-time.After(wait):
		return nil
	case <-r.Context().Done():
		return &refusal{code: http.StatusRequestTimeout, Error: "the caller has gone"}
	}
}

// handOn gives the records to Read and waits until they are stored.
func (s *Intake) handOn(p *post, r *http.Request) *refusal {
	if len(p.sizes) == 0 {
		return nil
	}
	text, reply := int64(cap(p.text)), int64(cap(p.reply))
	s.held.Add(text + reply)
	defer s.held.Add(-reply)
	late := time.NewTimer(s.cfg.AckTimeout)
	defer late.Stop()
	select {
	case s.posts <- p:
		return s.await(p, late.C)
	case <-r.Context().Done():
		s.held.Add(-text)
		return &refusal{code: http.StatusRequestTimeout, Error: "the caller has gone"}
	case <-late.C:
		s.held.Add(-text)
		return &refusal{code: http.StatusServiceUnavailable, Error: "too busy to take more", retry: time.Second}
	case <-s.closed:
		s.held.Add(-text)
		return &refusal{code: http.StatusServiceUnavailable, Error: "shutting down", retry: time.Second}
	}
}

// await waits for what became of records that were handed on. A caller who seems to have
// gone may only have said that nothing more comes from him, and read on.
func (s *Intake) await(p *post, late <-chan time.Time) *refusal {
	no := &refusal{code: http.StatusServiceUnavailable, retry: time.Second}
	select {
	case no = <-p.answer:
	case <-late:
		no.Error = fmt.Sprintf("not stored within %v; it may be, later", s.cfg.AckTimeout)
	case <-s.ended:
		no.Error = "the gateway ended before the records were known to be stored"
	}
	return no
}
