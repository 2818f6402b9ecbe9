package ingress

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"

	"landfall.dev/embedded/addons/kubeclient"
)

const component = "landfall-ingress"

type settings struct {
	kubeconfig  string
	controller  string
	address     string
	nginx       string
	nginxUser   string
	statusPort  int
	readTimeout time.Duration
	frame       Frame
}

func parse(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("landfall-addons ingress", flag.ContinueOnError)
	flags.StringVar(&s.kubeconfig, "kubeconfig", "", "file that says how to reach the cluster; by default as a pod does")
	flags.StringVar(&s.controller, "controller", "landfall.dev/ingress-nginx", "spec.controller of the IngressClasses to serve")
	flags.StringVar(&s.address, "publish-address", "", "address put into the status of Ingress objects; by default $NODE_IP")
	flags.StringVar(&s.nginx, "nginx", "/usr/sbin/nginx", "the nginx binary")
	flags.StringVar(&s.nginxUser, "nginx-user", "www-data", "whom nginx's workers run as where nginx is started by root")
	flags.IntVar(&s.statusPort, "status-port", 10254, "port of /healthz")
	flags.DurationVar(&s.readTimeout, "proxy-read-timeout", 10*time.Minute, "how long a backend may stay silent before its answer")
	flags.StringVar(&s.frame.Dir, "dir", "/run/landfall-ingress", "folder for configuration, certificates and temporary files")
	flags.StringVar(&s.frame.Address, "listen-address", "", "IP address to listen on; by default all")
	flags.IntVar(&s.frame.HTTPPort, "http-port", 80, "port for HTTP")
	flags.IntVar(&s.frame.HTTPSPort, "https-port", 443, "port for HTTPS")
	flags.IntVar(&s.frame.Workers, "workers", min(4, runtime.NumCPU()), "number of nginx's worker processes")
	flags.BoolVar(&s.frame.AccessLog, "access-log", true, "write a line for each request to the standard output")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("ingress takes flags only, not %q", flags.Arg(0))
	}
	s.address = cmp.Or(s.address, os.Getenv("NODE_IP"))
	s.frame.ReadTimeout = fmt.Sprintf("%ds", int(s.readTimeout.Seconds()))
	if os.Geteuid() == 0 {
		s.frame.User = s.nginxUser
	}
	return s, nil
}

// Main runs the Ingress controller until the context ends.
func Main(ctx context.Context, log *slog.Logger, args []string) error {
	settings, err := parse(args)
	if err != nil {
		return err
	}
	client, err := kubeclient.New(settings.kubeconfig, component)
	if err != nil {
		return err
	}
	return serve(ctx, log, client, settings)
}

func serve(ctx context.Context, log *slog.Logger, client kubernetes.Interface, settings settings) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	frame := settings.frame
	certificates := certificates{filepath.Join(frame.Dir, "certificates")}
	if err := prepare(frame.Dir, certificates.dir); err != nil {
		return err
	}
	defaultCertificate, err := certificates.writeDefault(time.Now())
	if err != nil {
		return fmt.Errorf("default certificate: %w", err)
	}
	frame.DefaultCertificate, frame.IPv6, frame.OpenFiles = defaultCertificate, hasIPv6(), openFiles()

	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	defer broadcaster.Shutdown()
	if err := broadcaster.StartRecordingToSinkWithContext(ctx); err != nil {
		return err
	}

	child := newNginx(settings.nginx, frame.Dir)
	defer child.stop()
	controller := &controller{
		name:         settings.controller,
		address:      settings.address,
		client:       client,
		watches:      newWatches(client),
		events:       broadcaster.NewRecorder(scheme.Scheme, component),
		server:       child,
		frame:        frame,
		certificates: certificates,
		log:          log,
		changed:      make(chan struct{}, 1),
	}

	probes, err := listenForProbes(frame.Address, settings.statusPort, func(ctx context.Context) error {
		return healthy(ctx, controller, child)
	})
	if err != nil {
		return err
	}
	defer probes.Close()

	go func() {
		select {
		case <-child.ended:
			cancel(child.err)
		case <-ctx.Done():
		}
	}()
	err = controller.run(ctx)
	select {
	case <-child.ended:
		return child.err // the first cause
	default:
		return err
	}
}

// prepare makes the folders. Nginx's workers reach their temporary files through the
// first, but only its master reads certificates.
func prepare(dir, certificates string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// What an earlier controller left belongs to an earlier default certificate.
	if err := os.RemoveAll(certificates); err != nil {
		return err
	}
	return os.Mkdir(certificates, 0o700)
}

// openFiles is what a worker of nginx may have at most, and no more than it can use.
func openFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 // what every system allows
	}
	return int(min(limit.Max, 16384))
}

func hasIPv6() bool {
	listener, err := net.Listen("tcp6", "[::]:0")
	if err != nil {
		return false
	}
	listener.Close()
	return true
}

func listenForProbes(address string, port int, check func(context.Context) error) (*http.Server, error) {
	listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", address, port))
	if err != nil {
		return nil, err
	}
	handler := http.NewServeMux()
	handler.HandleFunc("GET /healthz", func(response http.ResponseWriter, request *http.Request) {
		if err := check(request.Context()); err != nil {
			http.Error(response, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(response, "ok")
	})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("probes are no longer answered", "error", err)
		}
	}()
	return server, nil
}
