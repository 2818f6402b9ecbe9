package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// asApplet makes the test binary act as landfall-kube: to link a second binary of
// this size would cost a minute.
const asApplet = "LANDFALL_KUBE_AS_APPLET"

var versionNumber = regexp.MustCompile(`\b(v|Version: )[0-9]+\.[0-9]+\.[0-9]+`)

func TestMain(m *testing.M) {
	if os.Getenv(asApplet) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestChoose(t *testing.T) {
	for _, test := range []struct{ args, want, problem string }{
		{args: "kubelet --version", want: "kubelet --version"},
		{args: "/opt/bin/etcd", want: "etcd"},
		{args: "landfall-kube kubectl get pods", want: "kubectl get pods"},
		{args: "/opt/bin/landfall-kube kube-proxy", want: "kube-proxy"},
		{args: "landfall-kube", problem: "needs a command"},
		{args: "landfall-kube etcdctl", problem: `"etcdctl" is not a command`},
		{args: "", problem: "no arguments"},
	} {
		got, err := choose(strings.Fields(test.args))
		switch {
		case test.problem != "":
			if err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Errorf("choose(%q): error %v, want one that says %q", test.args, err, test.problem)
			}
		case err != nil || !slices.Equal(got, strings.Fields(test.want)):
			t.Errorf("choose(%q) = %q, %v, want %q", test.args, got, err, test.want)
		}
	}
}

func TestEveryAppletRuns(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) (string, error) {
		command := exec.Command(binary, args...)
		command.Args[0] = name
		command.Env = append(os.Environ(), asApplet+"=1")
		output, err := command.CombinedOutput()
		return string(output), err
	}
	for name := range applets {
		t.Run(name, func(t *testing.T) {
			if output, err := run(name, "--help"); err != nil || !strings.Contains(output, name) {
				t.Errorf("--help: %v\n%s", err, output)
			}
			version := []string{"--version"}
			if name == "kubectl" {
				version = []string{"version", "--client"}
			}
			if output, err := run(name, version...); err != nil || !versionNumber.MatchString(output) {
				t.Errorf("%v: %v\n%s", version, err, output)
			}
		})
	}
}
