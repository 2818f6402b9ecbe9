package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client and workqueue metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // the build's version as a metric
	kubectlcmd "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserverapp "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanagerapp "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxyapp "k8s.io/kubernetes/cmd/kube-proxy/app"
	schedulerapp "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"
)

func apiserver([]string) int         { return run(apiserverapp.NewAPIServerCommand()) }
func controllerManager([]string) int { return run(controllermanagerapp.NewControllerManagerCommand()) }
func proxy([]string) int             { return run(proxyapp.NewProxyCommand()) }
func scheduler([]string) int         { return run(schedulerapp.NewSchedulerCommand()) }

// The kubelet listens for signals by itself once it runs: a context that did so too
// would be one handler too many.
func kubelet([]string) int { return run(kubeletapp.NewKubeletCommand(context.Background())) }

// kubectl prints its own errors, in its own form. The verbosity counts already while
// the command is made (plugins, kuberc), before flags are parsed.
func kubectl([]string) int {
	// A level that is no number is reported by the flag parser, with its usage.
	_, _ = logs.GlogSetter(kubectlcmd.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(kubectlcmd.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
	return 0
}

// etcd ends the process itself when it fails.
func etcd(args []string) int {
	etcdmain.Main(args)
	return 0
}

func run(command *cobra.Command) int { return cli.Run(command) }
