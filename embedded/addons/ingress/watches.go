package ingress

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"landfall.dev/embedded/addons/kubeclient"
)

// watches holds the informers of everything that a configuration is made of.
type watches struct {
	classes, ingresses, services, slices, secrets cache.SharedIndexInformer
}

func newWatches(client kubernetes.Interface) *watches {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(kubeclient.Slim))
	// Other Secrets are none of our business, and releases among them are large.
	certificates := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithTransform(kubeclient.Slim),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.FieldSelector = fields.OneTermEqualSelector("type", string(corev1.SecretTypeTLS)).String()
		}))
	return &watches{
		classes:   factory.Networking().V1().IngressClasses().Informer(),
		ingresses: factory.Networking().V1().Ingresses().Informer(),
		services:  factory.Core().V1().Services().Informer(),
		slices:    factory.Discovery().V1().EndpointSlices().Informer(),
		secrets:   certificates.Core().V1().Secrets().Informer(),
	}
}

func (w *watches) all() []cache.SharedIndexInformer {
	return []cache.SharedIndexInformer{w.classes, w.ingresses, w.services, w.slices, w.secrets}
}

// start returns once everything has been read.
func (w *watches) start(ctx context.Context, notify func()) error {
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(any, any) { notify() },
		DeleteFunc: func(any) { notify() },
	}
	var synced []cache.InformerSynced
	for _, informer := range w.all() {
		registration, err := informer.AddEventHandler(handler)
		if err != nil {
			return err
		}
		synced = append(synced, registration.HasSynced)
		go informer.RunWithContext(ctx)
	}
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return fmt.Errorf("the cluster could not be read: %w", context.Cause(ctx))
	}
	return nil
}

func (w *watches) ingress(key string) *networkingv1.Ingress {
	object, _, _ := w.ingresses.GetStore().GetByKey(key)
	ingress, _ := object.(*networkingv1.Ingress)
	return ingress
}

// objects returns what the informers hold, and the content of the certificates by
// their path.
func (w *watches) objects(certificates certificates) (*Objects, map[string][]byte) {
	objects := &Objects{
		Classes:      listed[*networkingv1.IngressClass](w.classes),
		Ingresses:    listed[*networkingv1.Ingress](w.ingresses),
		Services:     map[string]*corev1.Service{},
		Slices:       map[string][]*discoveryv1.EndpointSlice{},
		Certificates: map[string]string{},
	}
	for _, service := range listed[*corev1.Service](w.services) {
		objects.Services[service.Namespace+"/"+service.Name] = service
	}
	for _, slice := range listed[*discoveryv1.EndpointSlice](w.slices) {
		key := slice.Namespace + "/" + slice.Labels[discoveryv1.LabelServiceName]
		objects.Slices[key] = append(objects.Slices[key], slice)
	}
	contents := map[string][]byte{}
	for _, secret := range listed[*corev1.Secret](w.secrets) {
		if path, content, valid := certificates.path(secret); valid {
			objects.Certificates[secret.Namespace+"/"+secret.Name] = path
			contents[path] = content
		}
	}
	return objects, contents
}

func listed[T any](informer cache.SharedIndexInformer) []T {
	var list []T
	// The selector takes all, so an error cannot come of it.
	_ = cache.ListAll(informer.GetStore(), labels.Everything(), func(object any) {
		list = append(list, object.(T))
	})
	return list
}
