import { Controller, Get, Module } from '@nestjs/common';
import { OrdersService } from './orders.service';

@Controller()
class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Get()
  all() {
    return this.orders.all();
  }
}

@Module({ controllers: [OrdersController], providers: [OrdersService] })
export class AppModule {}
