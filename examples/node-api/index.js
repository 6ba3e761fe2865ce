"use strict";

const express = require("express");

const app = express();
const port = Number(process.env.PORT || 3000);

app.use(express.json());

app.get("/health", (request, response) => {
  response.json({ status: "ok" });
});

app.get("/hello/:name", (request, response) => {
  response.json({ greeting: `Hello, ${request.params.name}!` });
});

app.listen(port, () => {
  console.log(`listening on port ${port}`);
});
