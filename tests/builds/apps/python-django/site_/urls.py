from django.contrib.auth.models import User
from django.http import HttpResponse
from django.urls import path


def index(request):
    User.objects.create(username=f"user{User.objects.count()}")
    return HttpResponse("users are written")


urlpatterns = [path("", index)]
