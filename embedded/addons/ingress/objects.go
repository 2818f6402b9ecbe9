package ingress

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

const (
	classAnnotation        = "kubernetes.io/ingress.class" // older than spec.ingressClassName
	defaultClassAnnotation = "ingressclass.kubernetes.io/is-default-class"
)

// Objects is what the cluster holds, as plain data.
type Objects struct {
	Classes   []*networkingv1.IngressClass
	Ingresses []*networkingv1.Ingress
	// Services, Slices and Certificates are by namespace/name; for slices that is the
	// name of their Service. A certificate is the path of its file.
	Services     map[string]*corev1.Service
	Slices       map[string][]*discoveryv1.EndpointSlice
	Certificates map[string]string
}

// served returns the Ingress objects whose class is ours.
func (objects *Objects) served(controller string) []*networkingv1.Ingress {
	ours, isDefault := map[string]bool{}, false
	for _, class := range objects.Classes {
		if class.Spec.Controller == controller {
			ours[class.Name] = true
			isDefault = isDefault || class.Annotations[defaultClassAnnotation] == "true"
		}
	}
	var served []*networkingv1.Ingress
	for _, ingress := range objects.Ingresses {
		name, named := ingress.Annotations[classAnnotation]
		if ingress.Spec.IngressClassName != nil {
			name, named = *ingress.Spec.IngressClassName, true
		}
		if ours[name] || (!named && isDefault) {
			served = append(served, ingress)
		}
	}
	return served
}

// upstream finds the ready endpoints of a backend. An error says what is missing; no
// error and no address means that nothing is ready.
func (objects *Objects) upstream(namespace string, backend *networkingv1.IngressServiceBackend) (Upstream, error) {
	key := namespace + "/" + backend.Name
	service, found := objects.Services[key]
	if !found {
		return Upstream{}, fmt.Errorf("Service %s does not exist", key)
	}
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return Upstream{}, fmt.Errorf("Service %s is of type ExternalName, which has no endpoints", key)
	}
	port, found := portOf(service, backend.Port)
	if !found {
		return Upstream{}, fmt.Errorf("Service %s has no port %s", key, portText(backend.Port))
	}
	return Upstream{
		Name:      namespace + "." + backend.Name + "." + portText(backend.Port),
		Addresses: ready(objects.Slices[key], port.Name),
	}, nil
}

func portOf(service *corev1.Service, wanted networkingv1.ServiceBackendPort) (corev1.ServicePort, bool) {
	for _, port := range service.Spec.Ports {
		if (wanted.Name != "" && port.Name == wanted.Name) || (wanted.Name == "" && port.Port == wanted.Number) {
			return port, true
		}
	}
	return corev1.ServicePort{}, false
}
