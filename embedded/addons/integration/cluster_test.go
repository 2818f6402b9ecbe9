// Package integration runs the addons on a real API server, with the rights that the
// manifests give them. There is no node: pods are scheduled, and never run.
//
// It needs the binaries of parts.toml in the folder $LANDFALL_BIN, and nginx.
package integration

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const adminToken = "integration-admin"

// cluster is a control plane on loopback addresses, in a temporary folder.
type cluster struct {
	bin, dir   string
	server     string
	kubeconfig string
	client     kubernetes.Interface
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	bin := os.Getenv("LANDFALL_BIN")
	if bin == "" {
		t.Skip("LANDFALL_BIN does not name the folder of binaries")
	}
	c := &cluster{bin: bin, dir: t.TempDir()}
	serviceAccountKey := c.writeServiceAccountKey(t)
	tokens := c.write(t, "tokens.csv", adminToken+`,admin,admin,"system:masters"`+"\n")

	etcd, peer, api := freePort(t), freePort(t), freePort(t)
	etcdURL := fmt.Sprintf("http://127.0.0.1:%d", etcd)
	peerURL := fmt.Sprintf("http://127.0.0.1:%d", peer)
	c.start(t, "etcd", "--data-dir="+filepath.Join(c.dir, "etcd"), "--unsafe-no-fsync",
		"--listen-client-urls="+etcdURL, "--advertise-client-urls="+etcdURL,
		"--listen-peer-urls="+peerURL, "--initial-advertise-peer-urls="+peerURL, "--initial-cluster=default="+peerURL)

	certificates := filepath.Join(c.dir, "apiserver")
	c.server = fmt.Sprintf("https://127.0.0.1:%d", api)
	c.start(t, "kube-apiserver", "--etcd-servers="+etcdURL, "--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", api),
		"--cert-dir="+certificates, "--token-auth-file="+tokens, "--authorization-mode=RBAC", "--allow-privileged",
		"--service-cluster-ip-range=10.96.0.0/16", "--endpoint-reconciler-type=none",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file="+serviceAccountKey,
		"--service-account-signing-key-file="+serviceAccountKey)
	c.waitForFile(t, filepath.Join(certificates, "apiserver.crt"))
	c.kubeconfig = c.writeKubeconfig(t, "admin", adminToken)
	c.client = c.newClient(t, c.kubeconfig)
	eventually(t, "a ready API server", func() bool {
		_, err := c.client.CoreV1().RESTClient().Get().AbsPath("/readyz").DoRaw(t.Context())
		return err == nil
	})
	c.start(t, "kube-controller-manager", "--kubeconfig="+c.kubeconfig, "--leader-elect=false", "--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", freePort(t)), "--cert-dir="+filepath.Join(c.dir, "kcm"),
		"--service-account-private-key-file="+serviceAccountKey,
		// Without nodes that report, their lifecycle would taint them.
		"--controllers=*,-node-lifecycle-controller,-taint-eviction-controller", "--pvclaimbinder-sync-period=1s")
	c.start(t, "kube-scheduler", "--kubeconfig="+c.kubeconfig, "--leader-elect=false", "--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", freePort(t)), "--cert-dir="+filepath.Join(c.dir, "scheduler"))
	return c
}

// start runs a program until the test ends. What it says is shown only by a failure.
func (c *cluster) start(t *testing.T, name string, args ...string) {
	t.Helper()
	var output bytes.Buffer
	command := exec.Command(filepath.Join(c.bin, name), args...)
	command.Stdout, command.Stderr = &output, &output
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			text := output.String()
			t.Logf("%s said at last:\n%s", name, text[max(0, len(text)-4000):])
		}
	})
}

// apply applies a manifest file, or the text itself.
func (c *cluster) apply(t *testing.T, manifest string) {
	t.Helper()
	source := "-"
	if strings.HasSuffix(manifest, ".yaml") {
		source = manifest
	}
	c.kubectl(t, manifest, "apply", "--server-side", "-f", source)
}

func (c *cluster) kubectl(t *testing.T, input string, args ...string) string {
	t.Helper()
	output, err := c.tryKubectl(t, input, args...)
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return output
}

func (c *cluster) tryKubectl(t *testing.T, input string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join(c.bin, "kubectl"), append([]string{"--kubeconfig", c.kubeconfig}, args...)...)
	command.Stdin = strings.NewReader(input)
	output, err := command.CombinedOutput()
	return string(output), err
}

// kubeconfigOf lets a program act as a service account, with no more than its rights.
func (c *cluster) kubeconfigOf(t *testing.T, namespace, account string) string {
	t.Helper()
	request := &authenticationv1.TokenRequest{}
	token, err := c.client.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), account, request, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c.writeKubeconfig(t, namespace+"-"+account, token.Status.Token)
}

func (c *cluster) writeKubeconfig(t *testing.T, name, token string) string {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{
		Server: c.server, CertificateAuthority: filepath.Join(c.dir, "apiserver", "apiserver.crt"),
	}
	config.AuthInfos["test"] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "test"}
	config.CurrentContext = "test"
	path := filepath.Join(c.dir, name+".kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func (c *cluster) newClient(t *testing.T, kubeconfig string) kubernetes.Interface {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (c *cluster) writeServiceAccountKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return c.write(t, "sa.key", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})))
}

func (c *cluster) write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (c *cluster) waitForFile(t *testing.T, path string) {
	t.Helper()
	eventually(t, path, func() bool { _, err := os.Stat(path); return err == nil })
}

// background runs one of our programs until the test ends, and fails the test if it
// ends earlier or badly.
func background(t *testing.T, name string, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s ended with %v", name, err)
		}
	})
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("%s did not come", what)
		case <-ticker.C:
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// get asks an address for a host's path; status 0 is no answer.
func get(t *testing.T, address, host, path string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host, request.Close = host, true
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, ""
	}
	return response.StatusCode, string(body)
}
