package ingress

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/events"
)

// settle is how long the controller lets further changes come in after one: a
// rollout changes many objects at once, and each reload of nginx costs new workers.
const settle = 50 * time.Millisecond

// retry is the wait before what failed for a passing reason is tried again.
const retry = 2 * time.Second

// server is what serves configurations: nginx, or a test's own.
type server interface {
	apply(ctx context.Context, configuration Configuration) error
}

// controller keeps a server in step with the cluster.
type controller struct {
	name    string // spec.controller of our IngressClasses
	address string // for status.loadBalancer; empty: none is published

	client       kubernetes.Interface
	watches      *watches
	events       events.EventRecorder
	server       server
	frame        Frame
	certificates certificates
	log          *slog.Logger

	changed chan struct{} // holds one: something changed since it was last taken
	serving atomic.Bool   // the cluster has been read and its configuration served

	applied string           // generation that was last given to the server
	told    map[Problem]bool // problems of the last build
	refused string           // generation that the server would not take
}

// notify marks that something changed. It never blocks.
func (c *controller) notify() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// run follows the cluster until the context ends.
func (c *controller) run(ctx context.Context) error {
	started := time.Now()
	if err := c.watches.start(ctx, c.notify); err != nil {
		return err
	}
	c.log.Info("cluster read", "took", time.Since(started).Round(time.Millisecond))
	c.notify()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.changed:
		}
		if err := c.sync(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if !c.serving.Load() {
				return err // nothing is served yet: a restart says so to everyone
			}
			c.log.Error("not in step with the cluster", "error", err)
			if !errors.Is(err, errRefused) {
				time.AfterFunc(retry, c.notify)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(settle):
		}
	}
}

// sync brings the server to what the cluster holds now.
func (c *controller) sync(ctx context.Context) error {
	objects, contents := c.watches.objects(c.certificates)
	site, problems := Build(objects, c.name)
	c.tell(problems)

	configuration, err := Render(c.frame, site)
	if err != nil {
		return err
	}
	if configuration.Generation != c.applied && configuration.Generation != c.refused {
		if err := c.apply(ctx, configuration, site, contents); err != nil {
			if errors.Is(err, errRefused) {
				c.refused = configuration.Generation
			}
			return err
		}
		c.applied, c.refused = configuration.Generation, ""
		c.serving.Store(true)
	}
	if c.applied != configuration.Generation {
		return nil // not served: its status must not say so
	}
	return c.publish(ctx, objects.served(c.name))
}

func (c *controller) apply(ctx context.Context, configuration Configuration, site Site, contents map[string][]byte) error {
	started := time.Now()
	used := map[string]bool{c.frame.DefaultCertificate: true}
	for _, server := range append([]Server{site.Default}, site.Servers...) {
		if server.Certificate == "" {
			continue
		}
		used[server.Certificate] = true
		if err := c.certificates.write(server.Certificate, contents[server.Certificate]); err != nil {
			return fmt.Errorf("certificate of %s: %w", server.Name, err)
		}
	}
	if err := c.server.apply(ctx, configuration); err != nil {
		return err
	}
	c.log.Info("serving", "generation", configuration.Generation, "hosts", len(site.Servers),
		"upstreams", len(site.Upstreams), "took", time.Since(started).Round(time.Millisecond))
	return c.certificates.prune(used)
}

// tell logs problems and puts them on their Ingress as Events, each once while it
// lasts.
func (c *controller) tell(problems []Problem) {
	now := make(map[Problem]bool, len(problems))
	for _, problem := range problems {
		if now[problem] {
			continue
		}
		now[problem] = true
		if c.told[problem] {
			continue
		}
		c.log.Warn(problem.Message, "ingress", problem.Owner, "reason", problem.Reason)
		if ingress := c.watches.ingress(problem.Owner); ingress != nil {
			c.events.Eventf(ingress, nil, corev1.EventTypeWarning, problem.Reason, "Configure", "%s", problem.Message)
		}
	}
	c.told = now
}

// healthy is the answer for probes: nginx serves, and serves what it was given.
func healthy(ctx context.Context, c *controller, n *nginx) error {
	if !c.serving.Load() {
		return errors.New("nothing is served yet")
	}
	_, err := n.generation(ctx)
	return err
}
