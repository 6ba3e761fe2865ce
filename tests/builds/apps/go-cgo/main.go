// Parses a document with libxml2 and serves what its root element is called.
package main

/*
#cgo pkg-config: libxml-2.0
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>
*/
import "C"

import (
	"fmt"
	"log"
	"net/http"
	"unsafe"
)

func root(text string) string {
	source := C.CString(text)
	defer C.free(unsafe.Pointer(source))
	document := C.xmlReadMemory(source, C.int(C.strlen(source)), nil, nil, 0)
	defer C.xmlFreeDoc(document)
	return C.GoString((*C.char)(unsafe.Pointer(C.xmlDocGetRootElement(document).name)))
}

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, root("<feed><entry/></feed>"))
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}
