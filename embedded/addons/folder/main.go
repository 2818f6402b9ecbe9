package folder

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"

	"landfall.dev/embedded/addons/kubeclient"
)

const component = "landfall-provisioner"

// Main runs the provisioner of one node until the context ends.
func Main(ctx context.Context, log *slog.Logger, args []string) error {
	flags := flag.NewFlagSet("landfall-addons provisioner", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "file that says how to reach the cluster; by default as a pod does")
	node := flags.String("node", "", "name of the node that this runs on; by default $NODE_NAME")
	dir := flags.String("dir", "/var/lib/landfall/volumes", "folder for the volumes' folders: the same path here and on the node")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("provisioner takes flags only, not %q", flags.Arg(0))
	}
	name := cmp.Or(*node, os.Getenv("NODE_NAME"))
	if name == "" {
		return errors.New("the node's name is needed: give --node or $NODE_NAME")
	}
	client, err := kubeclient.New(*kubeconfig, component)
	if err != nil {
		return err
	}
	disk, err := openDisk(*dir)
	if err != nil {
		return err
	}
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	defer broadcaster.Shutdown()
	if err := broadcaster.StartRecordingToSinkWithContext(ctx); err != nil {
		return err
	}
	controller, err := newController(client, broadcaster.NewRecorder(scheme.Scheme, component), log, name, *dir, disk)
	if err != nil {
		return err
	}
	return controller.run(ctx)
}
