# mypy: ignore-errors
# Django is in the benchmark's own environment, not in the one that is checked.
"""The reference: Django REST Framework over the same tables, with every related row fetched in advance."""

import os
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

_url = urlsplit(os.environ["REFERENCE_DATABASE_URL"])
settings.configure(
    SECRET_KEY="reference", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], INSTALLED_APPS=["rest_framework"],
    DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "NAME": _url.path.strip("/"), "USER": _url.username or "postgres",
        "HOST": parse_qs(_url.query).get("host", [_url.hostname])[0], "CONN_MAX_AGE": None}},
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None,
                    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]})

import django  # noqa: E402 - Django wants its settings first

django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import generics, pagination, serializers  # noqa: E402
from rest_framework.response import Response  # noqa: E402


def _table(name):
    # The label is that of an application which is installed: Django resolves relations between those only.
    return type("Meta", (), {"managed": False, "db_table": f'"catalogue"."{name}"', "app_label": "rest_framework"})


def _below(model, related_name):
    return models.ForeignKey(model, models.CASCADE, related_name=related_name)


class Product(models.Model):
    product_code, name = models.TextField(), models.TextField()
    vendor_id, type_id = models.BigIntegerField(null=True), models.BigIntegerField(null=True)
    description, detailed_description, featured_description = (models.TextField(), models.TextField(),
                                                               models.TextField())
    thumb_url, main_image_url, datasheet_url = models.TextField(), models.TextField(), models.TextField()
    guide_url, quickstart_url = models.TextField(), models.TextField()
    stock, subscription_type = models.BigIntegerField(), models.TextField()
    is_shippable, is_financeable = models.BooleanField(), models.BooleanField()
    popularity = models.BigIntegerField()
    Meta = _table("product")


class ProductPrice(models.Model):
    product = models.OneToOneField(Product, models.CASCADE, primary_key=True, related_name="money")
    cost_units, rrp_units, shipping_cost_units = (models.BigIntegerField(), models.BigIntegerField(),
                                                  models.BigIntegerField())
    Meta = _table("product_price")


class ServiceItem(models.Model):
    product = _below(Product, "services")
    kind, sku, name, dovetail = models.TextField(), models.TextField(), models.TextField(), models.BooleanField()
    Meta = _table("service_item")


class ServicePrice(models.Model):
    service_item = models.OneToOneField(ServiceItem, models.CASCADE, primary_key=True, related_name="money")
    cost_units = models.BigIntegerField()
    Meta = _table("service_price")


class RatePlan(models.Model):
    product = _below(Product, "rate_plans")
    name, billing_frequency = models.TextField(), models.TextField()
    term_length_months, renewal_term_length_months = models.IntegerField(), models.IntegerField()
    is_default = models.BooleanField()
    min_quantity, max_quantity = models.BigIntegerField(), models.BigIntegerField()
    Meta = _table("rate_plan")


class RatePlanCharge(models.Model):
    rate_plan = _below(RatePlan, "rate_plan_charges")
    name, charge_type, charge_model, unit_of_measure = (models.TextField(), models.TextField(), models.TextField(),
                                                        models.TextField())
    Meta = _table("rate_plan_charge")


class ChargeCost(models.Model):
    rate_plan_charge = _below(RatePlanCharge, "rate_plan_charge_costs")
    currency, cost_units = models.TextField(), models.BigIntegerField()
    Meta = _table("charge_cost")


class Amount(serializers.ReadOnlyField):
    def to_representation(self, value):
        return value / 10_000


class ServiceSerializer(serializers.ModelSerializer):
    price = Amount(source="money.cost_units")

    class Meta:
        model = ServiceItem
        fields = ("id", "sku", "name", "price", "dovetail")


class CostSerializer(serializers.ModelSerializer):
    charge_cost_price = Amount(source="cost_units")

    class Meta:
        model = ChargeCost
        fields = ("id", "currency", "charge_cost_price")


class ChargeSerializer(serializers.ModelSerializer):
    rate_plan_charge_costs = CostSerializer(many=True)

    class Meta:
        model = RatePlanCharge
        fields = ("id", "name", "charge_type", "charge_model", "rate_plan_charge_costs", "unit_of_measure")


class PlanSerializer(serializers.ModelSerializer):
    term_length = serializers.IntegerField(source="term_length_months")
    renewal_term_length = serializers.IntegerField(source="renewal_term_length_months")
    default = serializers.BooleanField(source="is_default")
    rate_plan_charges = ChargeSerializer(many=True)

    class Meta:
        model = RatePlan
        fields = ("id", "name", "term_length", "billing_frequency", "renewal_term_length", "default", "min_quantity",
                  "max_quantity", "rate_plan_charges")


class ProductSerializer(serializers.ModelSerializer):
    vendor, type = serializers.IntegerField(source="vendor_id"), serializers.IntegerField(source="type_id")
    rrp, price = Amount(source="money.rrp_units"), Amount(source="money.cost_units")
    shipping_cost = Amount(source="money.shipping_cost_units")
    provisioning, maintenance = serializers.SerializerMethodField(), serializers.SerializerMethodField()
    rate_plans = PlanSerializer(many=True)

    def get_provisioning(self, product):
        return ServiceSerializer([item for item in product.services.all() if item.kind == "provisioning"],
                                 many=True).data

    def get_maintenance(self, product):
        return ServiceSerializer([item for item in product.services.all() if item.kind == "maintenance"],
                                 many=True).data

    class Meta:
        model = Product
        fields = ("id", "name", "product_code", "description", "detailed_description", "featured_description",
                  "vendor", "type", "rrp", "price", "thumb_url", "main_image_url", "datasheet_url", "guide_url",
                  "quickstart_url", "stock", "provisioning", "maintenance", "shipping_cost", "subscription_type",
                  "rate_plans", "is_shippable", "is_financeable")


class BareList(pagination.PageNumberPagination):
    page_size, page_size_query_param, max_page_size = 1000, "per_page", 1000

    def get_paginated_response(self, data):
        count = self.page.paginator.count
        return Response(data, headers={"X-Total-Count": count, "X-Total-Pages": self.page.paginator.num_pages})


class ProductList(generics.ListAPIView):
    queryset = (Product.objects.select_related("money")
                .prefetch_related("services__money", "rate_plans__rate_plan_charges__rate_plan_charge_costs")
                .order_by("id"))  # which has an index; sorted by popularity as Makola does it is five times slower
    serializer_class = ProductSerializer
    pagination_class = BareList


class ProductById(generics.RetrieveAPIView):
    queryset = ProductList.queryset
    serializer_class = ProductSerializer


urlpatterns = [path("api/v1/products", ProductList.as_view()), path("api/v1/products/<int:pk>", ProductById.as_view())]
application = get_wsgi_application()
