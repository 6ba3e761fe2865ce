import os

from celery import Celery

app = Celery("tasks", broker=os.environ.get("BROKER_URL", "memory://"))


@app.task
def add(first, second):
    return first + second
