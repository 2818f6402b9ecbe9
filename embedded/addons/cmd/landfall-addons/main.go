// Landfall-addons is what an embedded cluster runs beside Kubernetes itself: one
// static binary with one subcommand for each.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"landfall.dev/embedded/addons/folder"
	"landfall.dev/embedded/addons/ingress"
)

const usage = `usage: landfall-addons COMMAND [FLAGS]

  ingress      serve Ingress objects through nginx
  provisioner  make volumes of folders on this node

Each command explains its flags with --help.
`

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	err := run(ctx, log, os.Args[1:])
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	default:
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, log *slog.Logger, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return errors.New("a command is needed")
	}
	switch args[0] {
	case "ingress":
		return ingress.Main(ctx, log, args[1:])
	case "provisioner":
		return folder.Main(ctx, log, args[1:])
	case "help", "-h", "-help", "--help":
		fmt.Print(usage)
		return nil
	}
	fmt.Fprint(os.Stderr, usage)
	return fmt.Errorf("%q is not a command", args[0])
}
