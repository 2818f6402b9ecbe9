// Package kubeclient connects an addon to its cluster.
package kubeclient

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// New returns a client by the kubeconfig of that path or, where the path is empty, by
// the service account of the pod. The component names the addon to the API server.
func New(kubeconfig, component string) (kubernetes.Interface, error) {
	config, err := load(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("no way to the cluster (give --kubeconfig outside a pod): %w", err)
	}
	rest.AddUserAgent(config, component)
	// The addons write seldom and in bursts: a burst of new objects need not queue.
	config.QPS, config.Burst = 50, 100
	return kubernetes.NewForConfig(config)
}

func load(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		return rest.InClusterConfig()
	}
	return clientcmd.BuildConfigFromFlags("", kubeconfig)
}

// Slim is an informer's transform: it drops what no addon reads and every object holds.
func Slim(object any) (any, error) {
	if accessor, err := meta.Accessor(object); err == nil {
		accessor.SetManagedFields(nil)
	}
	return object, nil
}
