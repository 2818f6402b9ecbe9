// Landfall-kube is the whole of Kubernetes in one binary: control plane, node
// agents, kubectl and etcd, chosen by the name it is called by. One binary shares
// its text between the seven processes of a node and is linked once.
//
// It holds no behaviour of its own: every applet is upstream's command, started as
// upstream's own main starts it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// program is the name under which no applet is meant; the first argument names it.
const program = "landfall-kube"

// applets maps the name of a command to what runs it. Each function takes the
// arguments with its own name as the first, and returns the exit code.
var applets = map[string]func(args []string) int{
	"etcd":                    etcd,
	"kube-apiserver":          apiserver,
	"kube-controller-manager": controllerManager,
	"kube-proxy":              proxy,
	"kube-scheduler":          scheduler,
	"kubectl":                 kubectl,
	"kubelet":                 kubelet,
}

func main() {
	args, err := choose(os.Args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	}
	// cobra and the version flag both read os.Args: an applet must see the
	// arguments that it would have seen as a program of its own.
	os.Args = args
	os.Exit(applets[args[0]](args))
}

// choose returns the arguments of the applet that is meant, its name first.
func choose(args []string) ([]string, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("no arguments, not even a name; one of %s is needed", names())
	}
	name, rest := filepath.Base(args[0]), args[1:]
	if _, known := applets[name]; known {
		return append([]string{name}, rest...), nil
	}
	if len(rest) == 0 {
		return nil, fmt.Errorf("%s needs a command: one of %s", program, names())
	}
	if _, known := applets[rest[0]]; !known {
		return nil, fmt.Errorf("%q is not a command of %s: one of %s is", rest[0], program, names())
	}
	return rest, nil
}

func names() string {
	list := make([]string, 0, len(applets))
	for name := range applets {
		list = append(list, name)
	}
	sort.Strings(list)
	return strings.Join(list, ", ")
}
