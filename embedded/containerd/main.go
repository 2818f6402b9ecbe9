// Containerd and its client ctr in one binary, chosen by the name it is called by;
// they share most of their text. The shim is not among them: containerd's runtime
// shim only works as a binary of its own, and is built from upstream's package.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	_ "github.com/containerd/containerd/v2/cmd/containerd/builtins"
	"github.com/containerd/containerd/v2/cmd/containerd/command"
	ctr "github.com/containerd/containerd/v2/cmd/ctr/app"
)

func main() {
	name, app := "containerd", command.App
	if filepath.Base(os.Args[0]) == "ctr" {
		name, app = "ctr", ctr.New
	}
	if err := app().Run(os.Args); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, err)
		os.Exit(1)
	}
}
