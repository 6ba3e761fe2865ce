use axum::{routing::get, Json, Router};
use serde::Serialize;

#[derive(Serialize)]
struct Zone {
    name: &'static str,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let app = Router::new().route("/", get(|| async { Json(Zone { name: "UTC" }) }));
    let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
