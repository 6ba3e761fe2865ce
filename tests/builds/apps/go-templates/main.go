package main
import ("net/http";"html/template";"github.com/gorilla/mux")
func main(){t:=template.Must(template.ParseFiles("templates/index.html"));r:=mux.NewRouter();r.HandleFunc("/",func(w http.ResponseWriter,q *http.Request){t.Execute(w,nil)});http.ListenAndServe(":8080",r)}
