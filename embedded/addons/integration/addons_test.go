package integration

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"landfall.dev/embedded/addons/folder"
	"landfall.dev/embedded/addons/ingress"
)

func TestAddonsOnARealAPIServer(t *testing.T) {
	c := startCluster(t)
	manifests, err := filepath.Glob("../../manifests/*.yaml")
	if err != nil || len(manifests) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	for _, manifest := range manifests {
		c.apply(t, manifest)
	}
	t.Run("ingress", func(t *testing.T) { testIngress(t, c) })
	t.Run("provisioner", func(t *testing.T) { testProvisioner(t, c) })
	t.Run("dns", func(t *testing.T) { testDNS(t, c) })
	t.Run("rights", func(t *testing.T) { testRights(t, c) })
}

func testIngress(t *testing.T, c *cluster) {
	nginx, err := exec.LookPath("/usr/sbin/nginx")
	if err != nil {
		t.Skip("nginx is not installed")
	}
	address, port := startBackend(t)
	http := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	_, httpPort, _ := net.SplitHostPort(http)
	dir := t.TempDir()
	background(t, "ingress", func(ctx context.Context) error {
		return ingress.Main(ctx, slog.New(slog.NewTextHandler(t.Output(), nil)), []string{
			"--kubeconfig", c.kubeconfigOf(t, "ingress-nginx", "ingress-nginx"), "--nginx", nginx, "--nginx-user", "root",
			"--dir", dir, "--listen-address", "127.0.0.1", "--http-port", httpPort,
			"--https-port", fmt.Sprint(freePort(t)), "--status-port", fmt.Sprint(freePort(t)),
			"--publish-address", "192.0.2.7", "--access-log=false",
		})
	})
	expect := func(host string, status int, content string) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d from %s", status, host), func() bool {
			got, body := get(t, http, host, "/")
			return got == status && strings.Contains(body, content)
		})
	}
	expect("web.example.com", 404, "")
	// No class is named: the API server puts the default one in.
	c.apply(t, `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: default}
spec:
  tls: [{hosts: [other.example.com], secretName: absent}]
  rules:
  - host: web.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}
`)
	expect("web.example.com", 503, "")
	c.apply(t, fmt.Sprintf(`
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: %s, protocol: TCP}]
endpoints: [{addresses: [%s], conditions: {ready: true}}]
`, port, address))
	expect("web.example.com", 200, "backend of web.example.com")
	eventually(t, "the address in the Ingress", func() bool {
		return c.kubectl(t, "", "get", "ingress", "web", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}") == "192.0.2.7"
	})
	expectEvent(t, c, "Ingress", "web", "CertificateMissing", "default/absent")
	c.kubectl(t, "", "delete", "ingress", "web")
	expect("web.example.com", 404, "")
}

func testProvisioner(t *testing.T, c *cluster) {
	folders := map[string]string{}
	for _, node := range []string{"k1", "k2"} {
		folders[node] = t.TempDir()
		c.apply(t, fmt.Sprintf("apiVersion: v1\nkind: Node\nmetadata: {name: %s, labels: {kubernetes.io/hostname: %[1]s}}\n", node))
		node, err := c.client.CoreV1().Nodes().Get(t.Context(), node, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		c.kubectl(t, "", "patch", "node", node.Name, "--subresource=status", "--type=merge", "-p",
			`{"status": {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "10"}, "capacity": {"cpu": "4", "memory": "8Gi", "pods": "10"}}}`)
		c.kubectl(t, "", "taint", "node", node.Name, "node.kubernetes.io/not-ready-")
	}
	kubeconfig := c.kubeconfigOf(t, "kube-system", "landfall-provisioner")
	for node, dir := range folders {
		background(t, "provisioner of "+node, func(ctx context.Context) error {
			return folder.Main(ctx, slog.New(slog.NewTextHandler(t.Output(), nil)), []string{
				"--kubeconfig", kubeconfig, "--node", node, "--dir", dir,
			})
		})
	}
	c.apply(t, `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: at-once}
provisioner: landfall.dev/folder
reclaimPolicy: Retain
volumeBindingMode: Immediate
`)

	// It waits for the pod, goes where the pod goes, and goes with its claim.
	c.apply(t, claim("waits", "general", "ReadWriteOnce")+pod("user", "waits", "k2"))
	path := boundPath(t, c, "waits")
	if filepath.Dir(path) != folders["k2"] || !strings.HasPrefix(filepath.Base(path), "default-waits-") {
		t.Errorf("the folder is %s, not one of %s", path, folders["k2"])
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o777 {
		t.Errorf("the folder: %v, %v", info, err)
	}
	eventually(t, "the pod on its node", func() bool {
		return c.kubectl(t, "", "get", "pod", "user", "-o", "jsonpath={.spec.nodeName}") == "k2"
	})
	expectEvent(t, c, "PersistentVolumeClaim", "waits", "ProvisioningSucceeded", "folder on node k2")
	output, err := c.tryKubectl(t, "", "patch", "pvc", "waits", "-p", `{"spec": {"resources": {"requests": {"storage": "2Gi"}}}}`)
	if err == nil || !strings.Contains(output, "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize") {
		t.Errorf("an expansion was not refused by the API: %v, %s", err, output)
	}
	c.kubectl(t, "", "patch", "storageclass", "general", "-p", `{"allowVolumeExpansion": true}`)
	c.kubectl(t, "", "patch", "pvc", "waits", "-p", `{"spec": {"resources": {"requests": {"storage": "2Gi"}}}}`)
	expectEvent(t, c, "PersistentVolumeClaim", "waits", "VolumeResizeFailed", "from 1Gi to 2Gi")
	if err := os.WriteFile(filepath.Join(path, "data"), []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.kubectl(t, "", "delete", "pod", "user", "--grace-period=0", "--force")
	c.kubectl(t, "", "delete", "pvc", "waits")
	eventually(t, "the end of the folder", func() bool { _, err := os.Stat(path); return os.IsNotExist(err) })
	eventually(t, "the end of the volume", func() bool {
		volumes, err := c.client.CoreV1().PersistentVolumes().List(t.Context(), metav1.ListOptions{})
		return err == nil && len(volumes.Items) == 0
	})

	// At once: one of two takes it. Its class retains, so the folder stays in the end.
	c.apply(t, claim("now", "at-once", "ReadWriteOnce"))
	path = boundPath(t, c, "now")
	volume := c.kubectl(t, "", "get", "pvc", "now", "-o", "jsonpath={.spec.volumeName}")
	c.kubectl(t, "", "delete", "pvc", "now")
	eventually(t, "a released volume", func() bool {
		return c.kubectl(t, "", "get", "pv", volume, "-o", "jsonpath={.status.phase}") == "Released"
	})
	c.kubectl(t, "", "delete", "pv", volume)
	if _, err := c.client.CoreV1().PersistentVolumes().Get(t.Context(), volume, metav1.GetOptions{}); !errors.IsNotFound(err) {
		t.Errorf("the retained volume cannot be deleted: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the folder of a retained volume: %v", err)
	}

	c.apply(t, claim("shared", "at-once", "ReadWriteMany"))
	expectEvent(t, c, "PersistentVolumeClaim", "shared", "ProvisioningFailed", "ReadWriteMany is not possible")
}

// testDNS runs CoreDNS with the manifest's own configuration and rights; only ports,
// and the way to the API server, are others.
func testDNS(t *testing.T, c *cluster) {
	config, err := c.client.CoreV1().ConfigMaps("kube-system").Get(t.Context(), "coredns", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	dir, port := t.TempDir(), fmt.Sprint(freePort(t))
	local := strings.NewReplacer(
		".:53 {", ".:"+port+" {\n    bind 127.0.0.1",
		"health {", fmt.Sprintf("health 127.0.0.1:%d {", freePort(t)),
		"ready\n", fmt.Sprintf("ready 127.0.0.1:%d\n", freePort(t)),
		"prometheus :9153", fmt.Sprintf("prometheus 127.0.0.1:%d", freePort(t)),
		"pods insecure", "pods insecure\n        kubeconfig "+c.kubeconfigOf(t, "kube-system", "coredns"),
		"/etc/coredns-hosts/", dir+"/", "/etc/coredns/", dir+"/",
	)
	for name, content := range config.Data {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(local.Replace(content)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "hosts"), []byte("192.0.2.7 keystone.example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.start(t, "coredns", "-conf", filepath.Join(dir, "Corefile"))
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
	}}
	for name, want := range map[string]string{
		"kube-dns.kube-system.svc.cluster.local.": "10.96.0.10",
		"keystone.example.com.":                   "192.0.2.7",
	} {
		eventually(t, name, func() bool {
			addresses, err := resolver.LookupHost(t.Context(), name)
			return err == nil && len(addresses) == 1 && addresses[0] == want
		})
	}
	for _, name := range []string{"absent.default.svc.cluster.local.", "www.example.org."} {
		_, err := resolver.LookupHost(t.Context(), name)
		if problem, isDNS := err.(*net.DNSError); !isDNS || !problem.IsNotFound {
			t.Errorf("%s: %v, want that it does not exist", name, err)
		}
	}
}

// testRights asks what users may that no manifest of ours names, but the cluster needs.
func testRights(t *testing.T, c *cluster) {
	for _, args := range [][]string{
		{"--as=system:kube-proxy", "watch", "endpointslices.discovery.k8s.io"},
		{"--as=system:kube-proxy", "watch", "services"},
		{"--as=system:kube-proxy", "get", "nodes"},
		{"--as=kube-apiserver-kubelet-client", "create", "nodes", "--subresource=proxy"},
		{"--as=kube-apiserver-kubelet-client", "get", "nodes", "--subresource=log"},
		{"--as=system:serviceaccount:kube-system:coredns", "watch", "endpointslices.discovery.k8s.io"},
		{"--as=system:serviceaccount:kube-system:coredns", "list", "namespaces"},
	} {
		if output, err := c.tryKubectl(t, "", append([]string{"auth", "can-i", "--all-namespaces"}, args...)...); err != nil {
			t.Errorf("can-i %v: %v\n%s", args, err, output)
		}
	}
}

func claim(name, class, mode string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: %s, namespace: default}
spec:
  storageClassName: %s
  accessModes: [%s]
  resources: {requests: {storage: 1Gi}}
---
`, name, class, mode)
}

func pod(name, claim, node string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: default}
spec:
  nodeSelector: {kubernetes.io/hostname: %s}
  containers: [{name: c, image: none, volumeMounts: [{name: v, mountPath: /v}]}]
  volumes: [{name: v, persistentVolumeClaim: {claimName: %s}}]
`, name, node, claim)
}

func boundPath(t *testing.T, c *cluster, claim string) string {
	t.Helper()
	eventually(t, "a volume for "+claim, func() bool {
		return c.kubectl(t, "", "get", "pvc", claim, "-o", "jsonpath={.status.phase}") == "Bound"
	})
	volume := c.kubectl(t, "", "get", "pvc", claim, "-o", "jsonpath={.spec.volumeName}")
	return c.kubectl(t, "", "get", "pv", volume, "-o", "jsonpath={.spec.local.path}")
}

func expectEvent(t *testing.T, c *cluster, kind, name, reason, content string) {
	t.Helper()
	eventually(t, fmt.Sprintf("Event %s of %s %s", reason, kind, name), func() bool {
		said := c.kubectl(t, "", "get", "events", "--field-selector", "involvedObject.kind="+kind+",involvedObject.name="+name+",reason="+reason,
			"-o", "jsonpath={.items[*].message}")
		return strings.Contains(said, content)
	})
}

// startBackend serves on an address that is not a loopback one: the API server takes
// none of these as an endpoint.
func startBackend(t *testing.T) (address, port string) {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, candidate := range addresses {
		network, isNetwork := candidate.(*net.IPNet)
		if !isNetwork || network.IP.To4() == nil || !network.IP.IsGlobalUnicast() {
			continue
		}
		listener, err := net.Listen("tcp", net.JoinHostPort(network.IP.String(), "0"))
		if err != nil {
			continue
		}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
			fmt.Fprintf(response, "backend of %s", request.Host)
		}))
		server.Listener.Close()
		server.Listener = listener
		server.Start()
		t.Cleanup(server.Close)
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		return network.IP.String(), port
	}
	t.Skip("this machine has no address but loopback ones")
	return "", ""
}
