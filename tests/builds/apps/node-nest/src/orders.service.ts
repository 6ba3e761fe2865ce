import { Injectable } from '@nestjs/common';

@Injectable()
export class OrdersService {
  all() {
    return [{ id: 1, item: 'book' }];
  }
}
