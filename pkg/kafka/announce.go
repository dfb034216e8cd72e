package kafka

import (
	"context"
	"slices"
	"strings"
)

// announced begins the client id of a member that has told its address.
const announced = "logctl+"

// Announce has this member tell the others of its group under which address it can
// be asked. The broker keeps it, as part of the client id, for as long as the
// member is in the group. It comes before the first Read.
func (s *Source) Announce(address string) { s.cfg.ClientID = announced + address }

// addressIn returns the address in a client id, "" where there is none.
func addressIn(clientID string) string {
	address, ok := strings.CutPrefix(clientID, announced)
	if !ok {
		return ""
	}
	return address
}

// Address returns where a member can be asked, "" where it has not said so.
func (m *Member) Address() string { return addressIn(m.ClientID) }

// Name returns what this member is called in its group: its stable name, else the
// one that it was given; "" where it has not joined.
func (s *Source) Name() string {
	if s.cfg.InstanceID != "" {
		return s.cfg.InstanceID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		return ""
	}
	id, _ := s.client.GroupMetadata()
	return id
}

// Others returns the other members of the group.
func (s *Source) Others(ctx context.Context) ([]Member, error) {
	g := Group{Name: s.cfg.Group}
	if err := s.questions().members(ctx, &g); err != nil {
		return nil, err
	}
	self := s.Name()
	return slices.DeleteFunc(g.Members, func(m Member) bool { return m.Name() == self }), nil
}

// questions returns what answers questions about the cluster.
func (s *Source) questions() *Admin { return &Admin{cfg: s.cfg.Config, adm: s.admin} }
