package ingress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// liveTimeout bounds the wait until nginx serves what it was given.
	liveTimeout = 20 * time.Second
	// stopTimeout bounds the wait for requests under way when nginx is told to end.
	stopTimeout = 25 * time.Second
)

// errRefused means that the same configuration will be refused again.
var errRefused = errors.New("nginx refuses the configuration")

// nginx is the child process that serves. Its methods are for one goroutine, but for
// generation and ended.
type nginx struct {
	binary string
	dir    string

	process *os.Process
	ended   chan struct{}
	err     error // why it ended, once ended is closed
	client  *http.Client
}

func newNginx(binary, dir string) *nginx {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", filepath.Join(dir, "status.sock"))
	}
	return &nginx{
		binary: binary,
		dir:    dir,
		ended:  make(chan struct{}),
		client: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}},
	}
}

func (n *nginx) configurationPath() string { return filepath.Join(n.dir, "nginx.conf") }

// apply tests a configuration and lets nginx serve it, and returns when it does. A
// configuration that fails the test leaves the one before in service.
func (n *nginx) apply(ctx context.Context, configuration Configuration) error {
	candidate := n.configurationPath() + ".candidate"
	if err := writeFile(candidate, configuration.Text); err != nil {
		return err
	}
	if output, err := exec.CommandContext(ctx, n.binary, "-t", "-q", "-e", "stderr", "-c", candidate).CombinedOutput(); err != nil {
		return fmt.Errorf("%w %s (%w): %s", errRefused, candidate, err, bytes.TrimSpace(output))
	}
	if err := os.Rename(candidate, n.configurationPath()); err != nil {
		return err
	}
	if n.process == nil {
		if err := n.start(); err != nil {
			return err
		}
	} else if err := n.process.Signal(syscall.SIGHUP); err != nil {
		return fmt.Errorf("nginx cannot be told to reload: %w", err)
	}
	return n.waitFor(ctx, configuration.Generation)
}

func (n *nginx) start() error {
	// A socket that a killed nginx left behind cannot be listened on.
	if err := os.Remove(filepath.Join(n.dir, "status.sock")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	command := exec.Command(n.binary, "-e", "stderr", "-c", n.configurationPath())
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := command.Start(); err != nil {
		return err
	}
	n.process = command.Process
	go func() {
		if err := command.Wait(); err != nil {
			n.err = fmt.Errorf("nginx ended: %w", err)
		} else {
			n.err = errors.New("nginx ended by itself")
		}
		close(n.ended)
	}()
	return nil
}

// waitFor returns once nginx answers with that generation. There is nothing to watch:
// nginx tells nobody when a reload is through.
func (n *nginx) waitFor(ctx context.Context, generation string) error {
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		serving, err := n.generation(ctx)
		if err == nil && serving == generation {
			return nil
		}
		select {
		case <-n.ended:
			return n.err
		case <-ctx.Done():
			return fmt.Errorf("nginx does not serve generation %s (but %q, error %v): %w", generation, serving, err, ctx.Err())
		case <-ticker.C:
		}
	}
}

// generation asks nginx which configuration it serves.
func (n *nginx) generation(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://status/generation", nil)
	if err != nil {
		return "", err
	}
	response, err := n.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64))
	return strings.TrimSpace(string(body)), err
}

// stop lets the requests under way end, for a time.
func (n *nginx) stop() {
	if n.process == nil {
		return
	}
	// The process may be gone already; then so is the reason to signal it.
	_ = n.process.Signal(syscall.SIGQUIT)
	select {
	case <-n.ended:
	case <-time.After(stopTimeout):
		_ = n.process.Signal(syscall.SIGTERM)
		<-n.ended
	}
}
