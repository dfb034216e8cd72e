package stream

import (
	"fmt"
	"sync"
)

// Logs does the bookkeeping of a Vault that keeps a log for each task. Each Save adds a
// chunk: now and then all entries, else those that have changed. It may be used from
// any goroutine. The zero value knows no task.
type Logs struct {
	mu    sync.Mutex
	tasks map[Task]*taskLog // those that were loaded
}

// A taskLog is what is known of the log of a task.
type taskLog struct {
	last    int64 // number of its last chunk
	whole   int64 // bytes of the last chunk with everything
	changes int64 // bytes of those behind it
}

// leastLog is the size below which a log of changes is not worth replacing.
const leastLog = 1 << 20

// Stale reports whether the log of a task has grown so long that its whole state should
// be written again.
func (l *Logs) Stale(task Task) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	log := l.tasks[task]
	return log != nil && log.changes > max(log.whole, leastLog)
}

// Add returns the number for a new chunk of a task's log. With all, the chunk replaces
// the log.
func (l *Logs) Add(task Task, entries Entries, all bool) (number int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	log := l.tasks[task]
	if log == nil {
		return 0, fmt.Errorf("state of %s is saved that was not loaded", task)
	}
	if all {
		log.whole, log.changes = int64(len(entries)), 0
	} else {
		log.changes += int64(len(entries))
	}
	log.last++
	return log.last, nil
}

// Last returns the number of the last chunk of a task's log, 0 if there is none.
func (l *Logs) Last(task Task) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if log := l.tasks[task]; log != nil {
		return log.last
	}
	return 0
}

// Chunks calls each for the chunks of a task, in order: those with all entries if whole
// is true, else those with changes. Entries are valid until each returns.
type Chunks func(whole bool, each func(number int64, entries Entries) error) error

// Image adds to m, which is empty, the state that the log of a task adds up to. With an
// error it has only what could be read. The task is known from then on.
func (l *Logs) Image(task Task, m *Image, chunks Chunks) error {
	log := &taskLog{}
	err := chunks(true, func(number int64, entries Entries) error {
		log.last, log.whole = number, log.whole+int64(len(entries))
		m.Begin(entries)
		return nil
	})
	if err == nil {
		err = chunks(false, func(number int64, entries Entries) error {
			log.last, log.changes = max(log.last, number), log.changes+int64(len(entries))
			return m.AddAll(entries)
		})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tasks == nil {
		l.tasks = map[Task]*taskLog{}
	}
	l.tasks[task] = log
	return err
}

// Load calls put once for each entry of a task, with its last value.
func (l *Logs) Load(task Task, chunks Chunks, put func(key, value []byte) error) error {
	var m Image
	if err := l.Image(task, &m, chunks); err != nil {
		return err
	}
	return m.Each(put)
}
